import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import path from 'node:path';

import { SecretKeyUnusableError } from './secrets.errors.js';

const OWNER_ONLY = 0o600;
const READABLE_BY_OTHERS = 0o077;

/** The key file of this installation, and what its operator should know about it. */
export interface KeyFile {
  /** The key text, for `deriveSecretKey`. */
  text: string;
  /** It was made by this call. */
  isNew: boolean;
  /** Others than its owner can read or change it. It is used all the same: a backup that fails for a file mode helps nobody. */
  isExposed: boolean;
}

/**
 * Reads the key file, or makes one of 32 random bytes (base64, mode 0600) where none is. It appears whole or not at all,
 * survives a power cut once this resolves, and of several starting processes one makes it and all read the same.
 *
 * @throws SecretKeyUnusableError when it can be neither read nor made.
 */
export async function readOrCreateKeyFile(file: string): Promise<KeyFile> {
  try {
    const existing = await read(file);
    if (existing !== undefined) return { ...existing, isNew: false };
    const isNew = await create(file);
    const made = await read(file);
    if (made !== undefined) return { ...made, isNew };
  } catch (cause) {
    throw new SecretKeyUnusableError(
      `the key file ${file} cannot be read or made (${errnoOf(cause) ?? 'unknown reason'}). ` +
        'Give the service the right to it, or set BACKSTOP_SECRET_KEY.',
      cause,
    );
  }
  throw new SecretKeyUnusableError(
    `the key file ${file} was removed while the service started. Start again.`,
  );
}

async function read(file: string): Promise<{ text: string; isExposed: boolean } | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    const { mode } = await stat(file);
    return { text, isExposed: (mode & READABLE_BY_OTHERS) !== 0 };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Gives false when another process was first. `link` instead of `rename`, because it refuses an existing name: a key
 * that has sealed something is never overwritten.
 */
async function create(file: string): Promise<boolean> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeDurably(draft, `${randomBytes(32).toString('base64')}\n`);
    await link(draft, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft).catch(() => undefined);
    await syncFolder(folder);
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', OWNER_ONLY);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
