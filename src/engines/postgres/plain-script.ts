import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import type { EngineCall, Inspection } from '../engine.js';
import { ArchiveForeignError, ArchiveUnreadableError } from '../tools.errors.js';
import { PlainLines, type ScriptFitting } from './plain-lines.js';

/** The first lines of a plain dump, in which its versions and settings stand. */
const HEAD_BYTES = 4 * 1024;
/** Longer than the longest trailer. */
const TAIL_BYTES = 512;

const BEGINNING = /^--\n-- PostgreSQL database dump\n--\n/;
/** pg_dump writes this last. Whoever has not seen it has half a dump: every line before it ends a complete script. */
const TRAILER = '\n--\n-- PostgreSQL database dump complete\n--\n\n';

/** What the first lines of a plain dump say. */
export interface PlainHead {
  serverMajor: number;
  toolVersion: string;
  /** The last lines of the whole script. Releases since August 2025 end the restriction that they began with. */
  trailer: string;
}

/** A plain dump whose first lines were read. */
export interface PlainScript {
  head: PlainHead;
  /** All bytes, from the first on. */
  bytes: AsyncGenerator<Buffer, void, undefined>;
  source: Readable;
}

/** Reads the first lines of a plain dump. When it rejects (`archive-foreign`, the stream's own error) the stream is destroyed. */
export async function openPlain(bytes: Readable): Promise<PlainScript> {
  const rest: AsyncIterator<Buffer, undefined> = bytes[Symbol.asyncIterator]();
  try {
    const chunks: Buffer[] = [];
    for (let size = 0; size < HEAD_BYTES;) {
      const next = await rest.next();
      if (next.done === true) break;
      chunks.push(next.value);
      size += next.value.length;
    }
    const head = readHead(Buffer.concat(chunks).toString('latin1', 0, HEAD_BYTES));
    return { head, bytes: replay(chunks, rest), source: bytes };
  } catch (error) {
    bytes.destroy();
    throw error;
  }
}

async function* replay(
  chunks: readonly Buffer[],
  rest: AsyncIterator<Buffer, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  yield* chunks;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function readHead(text: string): PlainHead {
  const server = /^-- Dumped from database version (\d+)/m.exec(text)?.[1];
  const tool = /^-- Dumped by pg_dump version (\S+)/m.exec(text)?.[1];
  if (!BEGINNING.test(text) || server === undefined || tool === undefined) {
    throw new ArchiveForeignError('a plain dump of pg_dump', 'its first lines are others');
  }
  const key = /^\\restrict (\w+)$/m.exec(text)?.[1];
  const trailer = key === undefined ? TRAILER : `${TRAILER}\\unrestrict ${key}\n\n`;
  return { serverMajor: Number(server), toolVersion: tool, trailer };
}

/**
 * The script as it is fed to psql, never whole in memory. **Fails instead of ending** when the trailer of pg_dump did not come
 * last: psql would commit half a dump. With `restrict` psql refuses every command that reaches out of the database, so that
 * a forged dump cannot run programs here.
 */
export function fittedScript(script: PlainScript, fitting: ScriptFitting & { restrict: boolean }): Readable {
  const stream = Readable.from(fit(script, fitting), { objectMode: false });
  stream.once('close', () => script.source.destroy());
  return stream;
}

async function* fit(
  script: PlainScript,
  fitting: ScriptFitting & { restrict: boolean },
): AsyncGenerator<Buffer, void, undefined> {
  const key = randomBytes(16).toString('hex');
  const lines = new PlainLines(fitting);
  const tail = new Tail();
  if (fitting.restrict) yield Buffer.from(`\\restrict ${key}\n`);
  for await (const chunk of script.bytes) yield lines.read(tail.read(chunk));
  tail.mustEndWith(script.head.trailer);
  yield lines.read(tail.without(script.head.trailer));
  yield Buffer.concat([lines.end(), Buffer.from(TRAILER)]);
  if (fitting.restrict) yield Buffer.from(`\\unrestrict ${key}\n`);
}

/** Reads a plain dump to its end; rejects with `archive-foreign` or `archive-unreadable` when it is not a whole one. */
export async function inspectPlain(bytes: Readable, call: EngineCall): Promise<Inspection> {
  const onAbort = (): void => void bytes.destroy();
  call.signal.addEventListener('abort', onAbort, { once: true });
  try {
    call.signal.throwIfAborted();
    return await readWhole(await openPlain(bytes));
  } catch (error) {
    call.signal.throwIfAborted();
    throw error;
  } finally {
    call.signal.removeEventListener('abort', onAbort);
    bytes.destroy();
  }
}

async function readWhole(script: PlainScript): Promise<Inspection> {
  const lines = new PlainLines();
  const tail = new Tail();
  let plainBytes = 0;
  for await (const chunk of script.bytes) {
    plainBytes += chunk.length;
    lines.read(tail.read(chunk));
  }
  tail.mustEndWith(script.head.trailer);
  return { items: lines.tables, plainBytes };
}

/** Keeps back the last bytes of a stream, so that its end can be judged before it is passed on. */
class Tail {
  #held: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and gives those that are certainly not among the last. */
  read(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const cut = Math.max(0, bytes.length - TAIL_BYTES);
    this.#held = bytes.subarray(cut);
    return bytes.subarray(0, cut);
  }

  mustEndWith(trailer: string): void {
    if (this.#held.toString('latin1').endsWith(trailer)) return;
    throw new ArchiveUnreadableError('the last lines of pg_dump are missing');
  }

  /** What was held, without its end. */
  without(trailer: string): Buffer {
    return this.#held.subarray(0, this.#held.length - trailer.length);
  }
}
