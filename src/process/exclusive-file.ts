import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import sqlite3 from 'sqlite3';

/**
 * The right to be the one process that uses something. It is SQLite's own exclusive lock on a small file, which the operating
 * system takes back when the process dies in whatever way: no stale lock, nothing to clean up. (Node has no `flock`.)
 * Whoever holds it must keep the object: a forgotten one is collected, and its file closed.
 */
export class ExclusiveFile {
  readonly #connection: sqlite3.Database;

  private constructor(connection: sqlite3.Database) {
    this.#connection = connection;
  }

  /** Takes the lock at once and makes its file and folder; `undefined` when another process has it. Rejects with SQLite's error. */
  static async take(path: string): Promise<ExclusiveFile | undefined> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const connection = await open(path);
    try {
      await run(connection, 'PRAGMA journal_mode = DELETE');
      await run(connection, 'BEGIN EXCLUSIVE');
      return new ExclusiveFile(connection);
    } catch (error) {
      await close(connection);
      if (error instanceof Error && error.message.includes('SQLITE_BUSY')) return undefined;
      throw error;
    }
  }

  /** Gives the right back. The process's end does the same. */
  release(): Promise<void> {
    return close(this.#connection);
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
