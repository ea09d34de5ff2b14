import type { Dirent } from 'node:fs';
import { lstat, mkdir, readdir, realpath, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { errnoOf, isAbsence } from './local-storage.errors.js';
import { StorageKeyInvalidError, StorageUnavailableError } from './storage.errors.js';
import { compareKeys, isKeySegment, splitKey } from './storage-key.js';

/** Where an object of a key is, or would be. */
export interface Place {
  key: string;
  /** The real path of the storage's own folder. */
  root: string;
  folder: string;
  name: string;
  path: string;
}

/**
 * Finds the place of a key below `root`. Rejects with `StorageKeyInvalidError` when the key is not one, or when a symbolic
 * link lies on the way or at its end: even one that leads to the inside would give an object two keys (S7). Somebody who can plant a link
 * between this look and the use of the path has our own rights in a folder of mode 0700, and needs no link.
 */
export async function placeOf(root: string, key: string): Promise<Place> {
  const segments = splitKey(key);
  const top = await realRoot(root);
  let path = top;
  for (const segment of segments) {
    path = join(path, segment);
    if (await isLink(path)) throw new StorageKeyInvalidError(key, 'a symbolic link lies on its way');
  }
  return { key, root: top, folder: dirname(path), name: segments.at(-1) ?? '', path };
}

/** The storage's own folder without links. Rejects with `storage-unavailable` when it is not there: a mount may be lost. */
export async function realRoot(root: string): Promise<string> {
  const refuse = (because: string, cause?: unknown) =>
    new StorageUnavailableError(`the folder ${root}`, because, { folder: root }, cause);
  try {
    const path = await realpath(root);
    if (!(await stat(path)).isDirectory()) throw refuse('it is not a folder');
    return path;
  } catch (error) {
    throw isAbsence(error) ? refuse('it is not there', error) : error;
  }
}

/**
 * Makes a folder and those above it, mode 0700; gives the topmost that was made. Not by `mkdir`'s own `recursive`: Node
 * 24 calls every failure of that ENOENT, a read-only file system included.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, 0o700);
    return path;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
    if (errnoOf(error) !== 'ENOENT' || path === dirname(path)) throw error;
  }
  const topmost = await makeFolder(dirname(path));
  await mkdir(path, 0o700).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error; // another put was faster
  });
  return topmost ?? path;
}

/** Removes `folder` and those above it while they are empty, but never `root`. */
export async function pruneFolders(folder: string, root: string): Promise<void> {
  for (let each = folder; each !== root && each !== dirname(each); each = dirname(each)) {
    try {
      await rmdir(each);
    } catch (error) {
      // Not empty, or a mount point: it is in use and stays. Gone: a concurrent delete was faster.
      if (isAbsence(error)) continue;
      return;
    }
  }
}

export interface FoundFile {
  key: string;
  path: string;
  /** Its own name, the last segment of the key. */
  name: string;
}

/**
 * Regular files below `root` whose key can begin with `prefix`, in key order. Holds one folder's names at a time. Symbolic links
 * and everything that is no file are passed over, and so are names that no key can have: we did not make them.
 */
export async function* walkFiles(root: string, prefix: string, above = ''): AsyncGenerator<FoundFile> {
  for (const entry of await sortedEntries(join(root, above))) {
    const key = above + entry.name;
    if (entry.isDirectory() && isKeySegment(entry.name)) {
      const inside = `${key}/`;
      if (inside.startsWith(prefix) || prefix.startsWith(inside)) yield* walkFiles(root, prefix, inside);
    } else if (entry.isFile() && key.startsWith(prefix)) {
      yield { key, path: join(root, key), name: entry.name };
    }
  }
}

async function sortedEntries(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((left, right) => compareKeys(orderOf(left), orderOf(right)));
  } catch (error) {
    if (isAbsence(error)) return []; // a concurrent delete removed the folder since it was seen
    throw error;
  }
}

/** A folder's keys all continue with a slash, which sorts behind `-` and `.`: `a-1`, `a.txt`, `a/b`. */
function orderOf(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (isAbsence(error) || errnoOf(error) === 'ENAMETOOLONG') return false;
    throw error;
  }
}
