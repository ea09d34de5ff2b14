import type { OnApplicationShutdown } from '@nestjs/common';

import { StorageDestinationUnknownError } from './storage.errors.js';
import type { Storage } from './storage.js';

/** The destination that always exists: a folder of this machine. */
export const LOCAL_DESTINATION = 'local';

/** Finds the storage of a destination by its name. One storage serves all callers; nobody but the registry closes it. */
export class StorageRegistry implements OnApplicationShutdown {
  readonly #storages: ReadonlyMap<string, Storage>;

  constructor(storages: ReadonlyMap<string, Storage>) {
    this.#storages = storages;
  }

  /** Names of all destinations. */
  get names(): string[] {
    return [...this.#storages.keys()];
  }

  /** Throws `StorageDestinationUnknownError`. */
  open(destinationName: string): Storage {
    const storage = this.#storages.get(destinationName);
    if (storage === undefined) throw new StorageDestinationUnknownError(destinationName, this.names);
    return storage;
  }

  async onApplicationShutdown(): Promise<void> {
    for (const storage of this.#storages.values()) await storage.close();
  }
}
