import { Readable } from 'node:stream';

import { ArchiveUnreadableError } from '../tools.errors.js';
import { type ArchiveToc, parseToc } from './archive-toc.js';
import { ArchiveWalker } from './archive-walker.js';

/** About a thousand bytes for each table, index or function: enough for half a million of them. */
const LIMIT_BYTES = 512 * 1024 * 1024;
const FIRST_TRY_BYTES = 32 * 1024;

/** A custom archive whose table of contents was read, and its bytes from the first on. */
export interface OpenArchive {
  toc: ArchiveToc;
  /**
   * The whole archive. **Fails instead of ending** when it is not whole, or when bytes follow its end; fails and is destroyed
   * together with the stream that it came from.
   */
  bytes: Readable;
}

/**
 * Reads the table of contents from the front of a stream, and gives the stream back whole. When it rejects (`archive-foreign`,
 * `archive-unreadable`, or the stream's own error) the stream is destroyed.
 */
export async function openArchive(bytes: Readable): Promise<OpenArchive> {
  const rest: AsyncIterator<Buffer, undefined> = bytes[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let size = 0;
  let nextTry = FIRST_TRY_BYTES;
  try {
    for (;;) {
      const next = await rest.next();
      if (next.done !== true) {
        chunks.push(next.value);
        size += next.value.length;
      }
      if (size < nextTry && next.done !== true) continue;
      nextTry = size * 2; // trying at each chunk would read a long table of contents again and again
      const toc = parseToc(Buffer.concat(chunks));
      if (toc !== undefined) return { toc, bytes: whole(toc, chunks, rest, bytes) };
      if (next.done === true) throw new ArchiveUnreadableError('it ends within its table of contents');
      if (size > LIMIT_BYTES) throw new ArchiveUnreadableError('its table of contents does not end');
    }
  } catch (error) {
    bytes.destroy();
    throw error;
  }
}

function whole(
  toc: ArchiveToc,
  chunks: Buffer[],
  rest: AsyncIterator<Buffer, undefined>,
  source: Readable,
): Readable {
  const stream = Readable.from(replay(new ArchiveWalker(toc.layout), chunks, rest), { objectMode: false });
  // Not a `finally` in the generator: one that nobody has begun to read never gets there.
  stream.once('close', () => source.destroy());
  return stream;
}

async function* replay(
  walker: ArchiveWalker,
  chunks: Buffer[],
  rest: AsyncIterator<Buffer, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
    walker.read(chunk);
    yield chunk;
  }
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    walker.read(next.value);
    yield next.value;
  }
  walker.end();
}
