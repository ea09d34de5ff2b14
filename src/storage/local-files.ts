import type { StatsFs } from 'node:fs';
import { lstat, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { isAbsence } from './local-storage.errors.js';
import type { StoredObject } from './storage.js';

/** What a storage says of the file at a path; `undefined` when nothing, or no regular file, is there. */
export async function statFile(key: string, path: string): Promise<StoredObject | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? { key, sizeBytes: stats.size, modifiedAt: stats.mtime } : undefined;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether anything at all has this path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/** Unlinks a path; one that is gone already is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

/** Of the file system on which a path is, or would be made. */
export async function statfsOfNearest(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    if (!isAbsence(error) || path === dirname(path)) throw error;
    return statfsOfNearest(dirname(path));
  }
}
