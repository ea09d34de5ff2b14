import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { WorkFolderUnusableError } from './config.errors.js';

/**
 * The service's own folder below `WORK_DIR`. Its name comes from the place of the catalog: it is the same after a restart,
 * other than that of another service, and never a folder with somebody else's files, even for `WORK_DIR=/tmp`.
 */
export function workFolderOf(workDir: string, catalogPlace: string): string {
  return join(workDir, `backstop-${createHash('sha256').update(catalogPlace).digest('hex').slice(0, 12)}`);
}

/**
 * Makes the folder anew. What a killed process has left in it may hold credentials of a database (password files of
 * tools). To be called when the catalog's lock is held, so that no other service uses the folder, and before work begins.
 * Throws `work-folder-unusable`.
 */
export async function renewWorkFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new WorkFolderUnusableError(path, error);
  }
}
