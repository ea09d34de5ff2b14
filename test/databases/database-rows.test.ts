import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog, type OpenCatalog } from '../../src/catalog/open-catalog.js';
import {
  holdDatabase,
  insertDatabase,
  listDatabases,
  requireDatabase,
  updateDatabase,
} from '../../src/databases/database-rows.js';
import { Database } from '../../src/databases/database.entity.js';
import { freshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';

const schema = {
  entities: [Database],
  migrations: MIGRATIONS,
};
const now = new Date('2026-11-21T03:00:00.123Z');

const coded = (code: string): unknown => expect.objectContaining({ code });

function row(name: string): Database {
  return Object.assign(new Database(), {
    id: v7(),
    name,
    engine: 'postgres',
    host: 'db',
    port: 5432,
    databaseName: 'My "Shop" 🛒',
    username: 'app',
    usernameVar: null,
    passwordSealed: 'v1.key.nonce.sealed',
    passwordVar: null,
    parameters: {},
    tls: { mode: 'verify-full', ca: 'ca', cert: 'cert', keySealed: 'v1.key.nonce.sealed' },
    options: { format: 'plain', excludeTables: ['public.a "b"'], hashContent: false, stallSeconds: 5 },
    retention: { retentionDays: null, keepDaily: 7 },
    createdAt: now,
    updatedAt: now,
    idempotencyKey: null,
    requestMark: null,
  } satisfies Database);
}

interface Place {
  open(): Promise<OpenCatalog>;
  remove(): Promise<void>;
}

async function inSqlite(): Promise<Place> {
  const folder = await mkdtemp(path.join(tmpdir(), 'backstop-rows-'));
  return {
    open: () => openCatalog({ kind: 'sqlite', path: path.join(folder, 'backup.db') }, schema),
    remove: () => rm(folder, { recursive: true }),
  };
}

async function inPostgres(): Promise<Place> {
  const server = newestPostgresServer();
  const database = await freshDatabase(server, 'catalog');
  const login = `${server.username}:${encodeURIComponent(server.password)}`;
  const url = `postgres://${login}@${server.host}:${server.port}/${database.name}`;
  return { open: () => openCatalog({ kind: 'postgres', url }, schema), remove: () => database.drop() };
}

describe.each([
  ['SQLite', inSqlite],
  ['PostgreSQL', inPostgres],
] as const)('rows of databases in a catalog in %s', (_dialect, make) => {
  let place: Place;
  let open: OpenCatalog;

  beforeAll(async () => {
    place = await make();
    open = await place.open();
  });
  beforeEach(() => open.catalog.write((tx) => tx.deleteAll(Database)));
  afterAll(async () => {
    await open.close();
    await place.remove();
  });

  it('come back as they were written, by id and by name, also after a restart', async () => {
    const shop = row('shop');
    await open.catalog.write((tx) => insertDatabase(tx, shop));
    await open.close();
    open = await place.open();
    expect(await requireDatabase(open.catalog.read, 'shop')).toEqual(shop);
    expect(await requireDatabase(open.catalog.read, shop.id)).toEqual(shop);
    expect(await requireDatabase(open.catalog.read, shop.id.toUpperCase())).toEqual(shop);
  });

  it('are not found by another case of the name, nor by an unknown id', async () => {
    await open.catalog.write((tx) => insertDatabase(tx, row('shop')));
    await expect(requireDatabase(open.catalog.read, 'Shop')).rejects.toThrow(coded('database-not-found'));
    for (const unknown of [v7(), 'a\0b', '', '..']) {
      await expect(requireDatabase(open.catalog.read, unknown)).rejects.toThrow(coded('database-not-found'));
    }
    await expect(open.catalog.write((tx) => holdDatabase(tx, 'Shop'))).rejects.toThrow(
      coded('database-not-found'),
    );
  });

  it('let one of many who want a name have it', async () => {
    const writes = Array.from({ length: 8 }, () =>
      open.catalog.write((tx) => insertDatabase(tx, row('shop'))),
    );
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(coded('database-name-taken'));
    }
  });

  it('keep their name when they cannot have another', async () => {
    const shop = row('shop');
    await open.catalog.write((tx) => insertDatabase(tx, shop));
    await open.catalog.write((tx) => insertDatabase(tx, row('other')));
    const renaming = open.catalog.write((tx) =>
      updateDatabase(tx, Object.assign(row('other'), { id: shop.id })),
    );
    await expect(renaming).rejects.toThrow(coded('database-name-taken'));
    expect(await requireDatabase(open.catalog.read, shop.id)).toEqual(shop);
  });

  it('change one after another when they are held', async () => {
    await open.catalog.write((tx) => insertDatabase(tx, row('shop')));
    const increments = Array.from({ length: 8 }, () =>
      open.catalog.write(async (tx) => {
        const held = await holdDatabase(tx, 'shop');
        held.port += 1;
        await updateDatabase(tx, held);
      }),
    );
    await Promise.all(increments);
    expect((await requireDatabase(open.catalog.read, 'shop')).port).toBe(5440);
  });

  it('are listed by name, page by page', async () => {
    for (const name of ['b', 'd', 'a', 'c']) await open.catalog.write((tx) => insertDatabase(tx, row(name)));
    const first = await listDatabases(open.catalog.read, { take: 3 });
    expect(first).toMatchObject({ total: 4, rows: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });
    const second = await listDatabases(open.catalog.read, { take: 3, after: 'c' });
    expect(second).toMatchObject({ total: 4, rows: [{ name: 'd' }] });
  });
});
