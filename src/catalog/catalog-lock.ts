import { ExclusiveFile } from '../process/exclusive-file.js';
import { CatalogInUseError } from './catalog.errors.js';
import { type CatalogLocation } from './catalog-location.js';
import { translateOpenError } from './open-errors.js';

/**
 * The right to be the one service on a SQLite catalog. Two of them would each take the other's running work for that of a
 * dead process and sweep its objects. A catalog in PostgreSQL is shared on purpose and has no lock.
 */
export class CatalogLock {
  readonly #file: ExclusiveFile | undefined;

  private constructor(file?: ExclusiveFile) {
    this.#file = file;
  }

  /** Takes the lock, or throws `catalog-in-use` at once; `catalog-not-writable` when its file cannot be made. */
  static async take(location: CatalogLocation): Promise<CatalogLock> {
    if (location.kind === 'postgres') return new CatalogLock();
    try {
      const file = await ExclusiveFile.take(`${location.path}.lock`);
      if (file === undefined) throw new CatalogInUseError(location.path);
      return new CatalogLock(file);
    } catch (error) {
      throw translateOpenError(location, error);
    }
  }

  /** Gives the right back. The process's end does the same. */
  async release(): Promise<void> {
    await this.#file?.release();
  }
}
