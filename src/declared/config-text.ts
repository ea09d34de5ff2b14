import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

import { ConfigFileUnreadableError } from './declared.errors.js';

/** A thousand databases with all their options; whatever is larger is not this file. */
const MOST_BYTES = 512 * 1024;

/**
 * The text of the file, or undefined when there is none.
 *
 * @throws ConfigFileUnreadableError for one that is there and cannot be read, is no ordinary file, too large or not UTF-8
 */
export async function readConfigText(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    // Opening a pipe would wait for somebody to write into it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ConfigFileUnreadableError(path, `it cannot be opened (${code})`, error);
  }
  try {
    return decode(path, await readAll(path, file));
  } finally {
    await file.close();
  }
}

/** Not `readFile`: a file that grows, or a device that never ends, would be read for ever. */
async function readAll(path: string, file: FileHandle): Promise<Buffer> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new ConfigFileUnreadableError(path, 'it is no file');
  const bytes = Buffer.alloc(MOST_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length);
    length += bytesRead;
    if (length > MOST_BYTES)
      throw new ConfigFileUnreadableError(path, `it has more than ${MOST_BYTES} bytes`);
    if (bytesRead === 0) return bytes.subarray(0, length);
  }
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigFileUnreadableError(path, 'it is not UTF-8', error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}
