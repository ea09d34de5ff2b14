import { chmod, mkdir, open as openFile, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { Note, NOTES } from './notes.ts';
import { freshSqlite } from './places.ts';

/** The file of a SQLite place. */
function pathOf(location: { kind: string; path?: string }): string {
  if (location.path === undefined) throw new Error('not a SQLite catalog');
  return location.path;
}

describe('opening a catalog in SQLite', () => {
  it('makes the folder for its own user', async () => {
    await using place = await freshSqlite();
    const { close } = await openCatalog(place.location, NOTES);
    expect((await stat(dirname(pathOf(place.location)))).mode & 0o777).toBe(0o700);
    await close();
  });

  it('is refused to a second one, and granted again after the first has closed', async () => {
    await using place = await freshSqlite();
    const first = await openCatalog(place.location, NOTES);
    await expect(openCatalog(place.location, NOTES)).rejects.toMatchObject({
      code: 'catalog-in-use',
      kind: 'conflict',
    });
    await first.close();
    const second = await openCatalog(place.location, NOTES);
    await second.close();
  });

  it('does not keep the lock when it fails later', async () => {
    await using place = await freshSqlite();
    const path = pathOf(place.location);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'no database at all, but a text that is long enough to look at'.repeat(20));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(openCatalog(place.location, NOTES)).rejects.toMatchObject({ code: 'catalog-corrupt' });
    }
    expect(await readFile(path, 'utf8')).toContain('no database at all');
  });

  it('finds damage inside of the file before anything is written', async () => {
    await using place = await freshSqlite();
    const path = pathOf(place.location);
    const { catalog, close } = await openCatalog(place.location, NOTES);
    const rows = Array.from({ length: 500 }, (_, index) => ({
      name: `note ${index}`,
      writtenAt: new Date(index),
      sizeBytes: index,
    }));
    await catalog.write((tx) => tx.insert(Note, rows));
    await close();
    const { size } = await stat(path);
    const file = await openFile(path, 'r+');
    await file.write(Buffer.alloc(4096, 0xff), 0, 4096, Math.floor(size / 8192) * 4096);
    await file.close();
    await expect(openCatalog(place.location, NOTES)).rejects.toMatchObject({ code: 'catalog-corrupt' });
  });

  it('says when the place is no folder, or cannot be written', async () => {
    await using place = await freshSqlite();
    const folder = dirname(pathOf(place.location));
    await writeFile(folder, 'a file where the folder should be');
    await expect(openCatalog(place.location, NOTES)).rejects.toMatchObject({ code: 'catalog-not-writable' });
  });

  it('says when the folder belongs to somebody else', async (context) => {
    context.skip(process.getuid?.() === 0, 'root may write into every folder');
    await using place = await freshSqlite();
    const folder = dirname(pathOf(place.location));
    await mkdir(folder);
    await chmod(folder, 0o500);
    await expect(openCatalog(place.location, NOTES)).rejects.toMatchObject({ code: 'catalog-not-writable' });
  });
});

describe('opening a catalog in PostgreSQL', () => {
  it('says when the server refuses, in words without the password', async () => {
    const { host, port, username } = newestPostgresServer();
    const url = `postgres://${username}:wrong-password@${host}:${port}/postgres`;
    const error: unknown = await openCatalog({ kind: 'postgres', url }, NOTES).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'catalog-unreachable', retryable: true });
    expect(String(error)).toContain('password authentication failed');
    expect(JSON.stringify(error) + String(error)).not.toContain('wrong-password');
  });

  it('says when the database does not exist', async () => {
    const { host, port, username, password } = newestPostgresServer();
    const url = `postgres://${username}:${password}@${host}:${port}/no_such_database`;
    await expect(openCatalog({ kind: 'postgres', url }, NOTES)).rejects.toMatchObject({
      code: 'catalog-unreachable',
      message: expect.stringContaining('no_such_database'),
    });
  });
});
