import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

import { Injectable } from '@nestjs/common';

import { Config } from '../config/config.js';
import { DestinationMarks } from './destination-marks.js';
import { realRoot } from './local-folders.js';
import { isAbsence, toStorageError } from './local-storage.errors.js';
import { BackupFolderRefusedError } from './storage.errors.js';
import { isFolderName, LOCAL_DESTINATION } from './storage-registry.js';

/** The longest path that a destination's name can be, in characters. */
const LONGEST = 1024;

/** Folders that a request may choose for its backup: below one of BACKUP_DIR_ROOTS, and nowhere else. */
@Injectable()
export class BackupFolders {
  constructor(
    private readonly config: Config,
    private readonly marks: DestinationMarks,
  ) {}

  /**
   * The name of the destination that a folder is: its path without symbolic links, or `local` for BACKUP_DIR itself. It is made by the
   * first backup; a root is never made, since one that is not there may be a disk that is not mounted.
   * @throws BackupFolderRefusedError, and `storage-unavailable` when its root is not there
   */
  async destinationOf(given: string): Promise<string> {
    const roots = this.config.backupDirRoots;
    if (roots.length === 0) {
      throw new BackupFolderRefusedError(
        given,
        'BACKUP_DIR_ROOTS names no folder below which backups may be stored',
      );
    }
    if (!isAbsolute(given)) throw new BackupFolderRefusedError(given, 'it is no absolute path');
    const wanted = resolve(given);
    const root = roots.find((each) => isWithin(wanted, each));
    if (root === undefined) {
      throw new BackupFolderRefusedError(
        given,
        `it is not below one of BACKUP_DIR_ROOTS (${roots.join(', ')})`,
      );
    }
    const folder = await this.#withoutLinks(given, root, relative(root, wanted));
    if (folder.length > LONGEST)
      throw new BackupFolderRefusedError(given, `it is longer than ${LONGEST} characters`);
    const backupDir = await realNearest(this.config.backupDir);
    if (folder === backupDir) return LOCAL_DESTINATION;
    await this.#refuseOverlap(given, folder, backupDir);
    return folder;
  }

  /** A root may be a link, which is the operator's choice; below it a link could lead anywhere. */
  async #withoutLinks(given: string, root: string, rest: string): Promise<string> {
    try {
      const folder = join(await realRoot(root), rest);
      if ((await realNearest(folder)) === folder) return folder;
    } catch (error) {
      throw toStorageError(error, { doing: 'read', root });
    }
    throw new BackupFolderRefusedError(given, 'a symbolic link lies on its way');
  }

  /** What lies in one destination is nobody else's: a sweep of the outer one would meet the unfinished files of the inner one. */
  async #refuseOverlap(given: string, folder: string, backupDir: string): Promise<void> {
    const used = (await this.marks.destinations()).filter((name) => isFolderName(name) && name !== folder);
    const other = [backupDir, ...used].find((each) => isWithin(folder, each) || isWithin(each, folder));
    if (other !== undefined) {
      throw new BackupFolderRefusedError(
        given,
        `it and ${other}, where backups are kept, lie one in the other`,
      );
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** The path with the links of what is there of it resolved. */
async function realNearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const above = resolve(path, '..');
    if (!isAbsence(error) || above === path) throw error;
    return join(await realNearest(above), relative(above, path));
  }
}
