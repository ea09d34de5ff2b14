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

/**
 * Writes what comes to a new file, and gives its size. Until everything is there the file is called `<path>.part`: half an archive
 * must not look like one, also when the command is killed. Nothing that is there is overwritten.
 * @param onBytes is told again and again how many have come
 * @throws CliError when it cannot; nothing is left then
 */
export async function saveAs(
  path: string,
  bytes: Readable,
  onBytes: (count: number) => void = () => undefined,
): Promise<number> {
  const part = `${path}.part`;
  const file = createWriteStream(part, { flags: 'wx', mode: 0o600 });
  const onInterrupt = (): void => {
    rmSync(part, { force: true });
    process.exit(ENDED_BY_SIGINT);
  };
  process.once('SIGINT', onInterrupt);
  try {
    await pipeline(bytes, (source) => counted(source, onBytes), file);
    await (await open(path, 'wx')).close(); // the name is ours from here on, and the next line gives it its content
    await rename(part, path);
    return file.bytesWritten;
  } catch (error) {
    throw await broken(error, path, part);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function* counted(
  source: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): AsyncIterable<Buffer> {
  let count = 0;
  for await (const chunk of source) {
    count += chunk.length;
    onBytes(count);
    yield chunk;
  }
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
