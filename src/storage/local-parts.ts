import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';

import { type FoundFile, placeOf, walkFiles } from './local-folders.js';
import { isAbsence } from './local-storage.errors.js';
import { isPartName, isPartOf } from './storage-parts.js';

/** The parts below `root`; with `keys` only those of puts of these, and only their folders are read. */
export async function findParts(root: string, keys?: readonly string[]): Promise<FoundFile[]> {
  // Refuses a key whose folder is a link: what lies behind it is not ours.
  for (const key of keys ?? []) await placeOf(root, key);
  const folders = keys === undefined ? [''] : [...new Set(keys.map(folderOf))];
  const found: FoundFile[] = [];
  for (const folder of folders) {
    for await (const file of walkFiles(root, '', folder)) {
      if (!isPartName(file.name)) continue;
      if (keys === undefined || keys.some((key) => isPartOfKey(file, key))) found.push(file);
    }
  }
  return found;
}

/** A part lies in the folder of its object. */
export function isPartOfKey(part: FoundFile, key: string): boolean {
  return folderOf(part.key) === folderOf(key) && isPartOf(part.name, posix.basename(key));
}

/** Gives false when it is gone. */
export async function wasWrittenSince(path: string, since: Date): Promise<boolean> {
  try {
    return (await lstat(path)).mtime > since;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/** With the slash at its end; nothing for the root. */
function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}
