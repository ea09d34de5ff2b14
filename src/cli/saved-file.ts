import { createHash } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { CliError, EXIT } from './cli.errors.js';

/** What a shell expects of a program that Ctrl-C has ended. */
const ENDED_BY_SIGINT = 130;

/** @throws CliError when something has that name already */
export async function mustBeFree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined) throw new CliError(EXIT.refused, `${path} is there already.`);
}

/** What is known of bytes before they come, and who is told how many have come. */
export interface Coming {
  /** In hexadecimal; undefined when nobody has said it. */
  sha256: string | undefined;
  onBytes: (count: number) => void;
}

/**
 * Writes what comes to a new file, and gives its size. Until everything is there, on the disk and with the digest that was said, the
 * file is called `<path>.part`: half an archive must not look like one, also when the command is killed. Nothing that is there is
 * overwritten.
 * @throws CliError when it cannot; nothing is left then
 */
export async function saveAs(path: string, bytes: Readable, coming: Coming): Promise<number> {
  const part = `${path}.part`;
  const file = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
  const onInterrupt = (): void => {
    rmSync(part, { force: true });
    process.exit(ENDED_BY_SIGINT);
  };
  process.once('SIGINT', onInterrupt);
  try {
    await pipeline(bytes, (source) => checked(source, coming), file);
    await (await open(path, 'wx')).close(); // the name is ours from here on, and the next line gives it its content
    await rename(part, path);
    return file.bytesWritten;
  } catch (error) {
    throw await broken(error, path, part);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function* checked(source: AsyncIterable<Buffer>, { sha256, onBytes }: Coming): AsyncIterable<Buffer> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    count += chunk.length;
    onBytes(count);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (sha256 !== undefined && found !== sha256)
    throw new Error(`what came has the SHA-256 ${found}, and not ${sha256}, as the service said`);
}

async function broken(error: unknown, path: string, part: string): Promise<CliError> {
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
    await rm(part, { force: true });
    return new CliError(EXIT.refused, `The download broke off: ${why}`);
  }
  if ('path' in error && error.path === part) {
    return new CliError(
      EXIT.refused,
      `${part} is there: another download runs, or one was killed. Remove it then.`,
    );
  }
  await rm(part, { force: true });
  return new CliError(EXIT.refused, `${path} is there already.`);
}
