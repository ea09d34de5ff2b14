import { isAbsolute } from 'node:path';

import type { OnApplicationShutdown } from '@nestjs/common';

import { StorageDestinationUnknownError } from './storage.errors.js';
import type { Storage } from './storage.js';

/** The destination that always exists: a folder of this machine. */
export const LOCAL_DESTINATION = 'local';

/**
 * Finds the storage of a destination by its name. One storage serves all callers; nobody but the registry closes it.
 *
 * A folder below one of BACKUP_DIR_ROOTS is a destination whose name is its path (`BackupFolders` has looked at it): whoever has the
 * name finds the archives, in every process, whatever the settings say by then (decision 25).
 */
export class StorageRegistry implements OnApplicationShutdown {
  readonly #storages: Map<string, Storage>;
  readonly #openFolder: ((path: string) => Storage) | undefined;

  constructor(storages: ReadonlyMap<string, Storage>, openFolder?: (path: string) => Storage) {
    this.#storages = new Map(storages);
    this.#openFolder = openFolder;
  }

  /** Names of all destinations that were opened, or are always there. */
  get names(): string[] {
    return [...this.#storages.keys()];
  }

  /** Throws `StorageDestinationUnknownError`. */
  open(destinationName: string): Storage {
    const known = this.#storages.get(destinationName);
    if (known !== undefined) return known;
    if (this.#openFolder === undefined || !isFolderName(destinationName)) {
      throw new StorageDestinationUnknownError(destinationName, this.names);
    }
    const storage = this.#openFolder(destinationName);
    this.#storages.set(destinationName, storage);
    return storage;
  }

  async onApplicationShutdown(): Promise<void> {
    for (const storage of this.#storages.values()) await storage.close();
  }
}

/** No other destination has a slash in its name. */
export function isFolderName(destinationName: string): boolean {
  return isAbsolute(destinationName);
}
