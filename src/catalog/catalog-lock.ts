import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import sqlite3 from 'sqlite3';

import { CatalogInUseError } from './catalog.errors.js';
import { type CatalogLocation } from './catalog-location.js';
import { translateOpenError } from './open-errors.js';

/**
 * The right to be the one service on a SQLite catalog. Two of them would each take the other's running work for that of a
 * dead process and sweep its objects. The right is SQLite's own exclusive lock on a small file beside the catalog, which
 * the operating system takes back when the process dies in whatever way: no stale lock, nothing to clean up. A catalog
 * in PostgreSQL is shared on purpose and has no lock.
 */
export class CatalogLock {
  readonly #release: () => Promise<void>;

  private constructor(release: () => Promise<void>) {
    this.#release = release;
  }

  /** Takes the lock, or throws `catalog-in-use` at once; `catalog-not-writable` when its file cannot be made. */
  static async take(location: CatalogLocation): Promise<CatalogLock> {
    if (location.kind === 'postgres') return new CatalogLock(() => Promise.resolve());
    const path = `${location.path}.lock`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const connection = await open(path);
      try {
        await run(connection, 'PRAGMA journal_mode = DELETE');
        await run(connection, 'BEGIN EXCLUSIVE');
      } catch (error) {
        await close(connection);
        throw error;
      }
      return new CatalogLock(() => close(connection));
    } catch (error) {
      if (error instanceof Error && error.message.includes('SQLITE_BUSY')) {
        throw new CatalogInUseError(location.path, error);
      }
      throw translateOpenError(location, error);
    }
  }

  /** Gives the right back. The process's end does the same. */
  async release(): Promise<void> {
    await this.#release();
  }
}

function open(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const connection = new sqlite3.Database(path, (error) => (error ? reject(error) : resolve(connection)));
  });
}

function run(connection: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.exec(sql, (error) => (error ? reject(error) : resolve()));
  });
}

function close(connection: sqlite3.Database): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.close((error) => (error ? reject(error) : resolve()));
  });
}
