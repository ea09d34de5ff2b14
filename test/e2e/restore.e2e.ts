import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  freshDatabase,
  newestPostgresServer,
  postgresServer,
  postgresServers,
  sql,
} from '../support/postgres-servers.ts';
import {
  askRestore,
  completedRestore,
  countRows,
  databasesLike,
  dropDatabasesLike,
  type RestoreBody,
  restoreIn,
  workFiles,
} from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let backup: BackupBody;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env });
  await register(service, server, shop.name, 'shop', { options: { hash_content: true } });
  backup = await completedBackup(service, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await dropDatabasesLike(server, shop.name);
});

describe('restoring into a new database', () => {
  test('answers 202, loads beside the old one, compares, and proves the backup', async () => {
    const asked = await askRestore(service, backup.id);
    expect(asked.status).toBe(202);
    expect(asked.headers.get('location')).toBe(`/restores/${asked.body.id}`);
    expect(asked.body).toMatchObject({ status: 'queued', mode: 'new', backup_id: backup.id, result: null });
    const name = asked.body.target.database_name;
    expect(name).toMatch(/_restored_\d{8}_\d{6}$/);
    expect(name.startsWith(shop.name)).toBe(true);

    const waited = await service.request<RestoreBody>('GET', `/restores/${asked.body.id}`);
    expect(waited.status).toBe(200);
    const done = await completedRestoreOf(asked.body.id);
    expect(done).toMatchObject({
      status: 'completed',
      attempt: 1,
      unfinished_database: null,
      kept_as: null,
      safety_backup_id: null,
      error: null,
      result: { verified: true, compared: { items: 3, rows: 2_500, hashes: 3, schema: true, expired: 0 } },
    });
    expect(await countRows(server, name, 'orders')).toBe(2_000);
    expect(await databasesLike(server, shop.name)).toContain(name);

    const proven = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
    expect(proven.body.evidence).toMatchObject({
      level: 4,
      name: 'proven',
      restore_seconds: done.result?.restore_seconds,
    });
    expect(done.result?.restore_seconds).toBeGreaterThan(0);
  });

  test('takes a file name, and can wait for the end', async () => {
    const path = '/backups/restore?wait=completed&timeout_seconds=60';
    const answer = await service.request<RestoreBody>('POST', path, {
      filename: backup.filename,
      target: { database_name: `${shop.name}_by_name` },
    });
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
    expect(await countRows(server, `${shop.name}_by_name`, 'customers')).toBe(500);
  });

  test('two restores at once get two databases', async () => {
    const both = await Promise.all([
      completedRestore(service, backup.id),
      completedRestore(service, backup.id),
    ]);
    expect(new Set(both.map((done) => done.target.database_name)).size).toBe(2);
  });

  test('leaves no temporary database and no temporary file', async () => {
    await completedRestore(service, backup.id, { jobs: 2 });
    expect((await databasesLike(server, shop.name)).filter((name) => name.includes('_restoring_'))).toEqual(
      [],
    );
    expect(await workFiles(service.dataDir)).toEqual([]);
  });

  test('a repeated idempotency key gives the first record', async () => {
    const key = { 'idempotency-key': 'restore-42' };
    const [first, second] = [
      await askRestore(service, backup.id, {}, key),
      await askRestore(service, backup.id, {}, key),
    ];
    expect(second.body.id).toBe(first.body.id);
    await completedRestoreOf(first.body.id);
  });

  test('the same request sent twice at once gives one restore', async () => {
    const key = { 'idempotency-key': 'restore-twice' };
    const body = { target: { database_name: `${shop.name}_twice` } };
    const [one, other] = await Promise.all([
      askRestore(service, backup.id, body, key),
      askRestore(service, backup.id, body, key),
    ]);
    expect([one.status, other.status, other.body.id]).toEqual([202, 202, one.body.id]);
    await completedRestoreOf(one.body.id);
    // The database is there now, which would keep any other request from it.
    expect((await askRestore(service, backup.id, body, key)).body.id).toBe(one.body.id);
  });

  test('an idempotency key that belongs to another restore is refused, and begins nothing', async () => {
    const key = { 'idempotency-key': 'restore-44' };
    const first = await askRestore(service, backup.id, {}, key);
    await completedRestoreOf(first.body.id);
    const another = await completedBackup(service, 'shop');
    const before = await service.request<RestoreBody[]>('GET', '/restores');
    const reused = { status: 409, code: 'idempotency-key-reused', facts: { restore_id: first.body.id } };
    for (const [backupId, body] of [
      [another.id, {}],
      [backup.id, { mode: 'replace', confirm: 'shop' }],
      [backup.id, { target: { database_name: `${shop.name}_elsewhere` } }],
      [backup.id, { target: { connection: { host: 'db.example.com' } } }],
      [backup.id, { tables: ['public.customers'] }],
    ] as const) {
      const answer = await askRestore(service, backupId, body, key);
      expect(answer.body, JSON.stringify(body)).toMatchObject(reused);
    }
    const after = await service.request<RestoreBody[]>('GET', '/restores');
    expect(after.body.map(({ id }) => id)).toEqual(before.body.map(({ id }) => id));
  });

  test.each([
    { name: 'an empty one', key: '' },
    { name: 'one of 256 characters', key: 'x'.repeat(256) },
  ])('refuses $name as idempotency key', async ({ key }) => {
    const byId = await askRestore(service, backup.id, {}, { 'idempotency-key': key });
    expect(byId.body).toMatchObject({ status: 400, code: 'invalid-request' });
    const body = { backup_id: backup.id };
    const named = await service.request('POST', '/backups/restore', body, { 'idempotency-key': key });
    expect(named.body).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  test('single tables come with what they need, and prove nothing about the whole', async () => {
    const fresh = await completedBackup(service, 'shop');
    const done = await completedRestore(service, fresh.id, { tables: ['public.customers'] });
    expect(done.result?.compared).toMatchObject({ items: 1, rows: 500, schema: false });
    const tables = await sql<{ t: string }>(
      server,
      done.target.database_name,
      `SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    expect(tables.map((row) => row.t)).toEqual(['customers']);
    const { body } = await service.request<BackupBody>('GET', `/backups/${fresh.id}`);
    expect(body.evidence?.name).toBe('stored');
  });

  test('lists restores, newest first, and filters them', async () => {
    const all = await service.request<RestoreBody[]>('GET', `/restores?limit=500`);
    const ids = all.body.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(all.headers.get('x-total-count')).toBe(String(ids.length));
    const [first] = (await service.request<RestoreBody[]>('GET', '/restores?limit=1')).body;
    expect(first?.id).toBe(ids[0]);
    const other = await service.request<RestoreBody[]>(
      'GET',
      `/restores?backup_id=${backup.id}&status=failed`,
    );
    expect(other.body).toEqual([]);
    expect((await service.request('GET', '/restores/nothing')).body).toMatchObject({
      code: 'restore-not-found',
    });
  });
});

describe('formats and options', () => {
  test('plain SQL is restored and compared alike', async () => {
    await register(service, server, shop.name, 'shop-plain', { options: { format: 'plain' } });
    const plain = await completedBackup(service, 'shop-plain');
    const done = await completedRestore(service, plain.id, {
      target: { database_name: `${shop.name}_plain` },
    });
    expect(done.result).toMatchObject({ verified: true, compared: { items: 3, rows: 2_500 } });
  });

  test('roles in the archive are left alone, and the record says how to apply them', async () => {
    await register(service, server, shop.name, 'shop-roles', { options: { include_roles: true } });
    const withRoles = await completedBackup(service, 'shop-roles');
    const done = await completedRestore(service, withRoles.id, {
      target: { database_name: `${shop.name}_roles` },
    });
    expect(done.result?.notes.join('\n')).toContain('.roles.sql');
  });

  test.each(['Shop "quoted" ', 'ünï cødé 🛒', '-d evil', `it's; DROP`, 'two  blanks '])(
    'any name works: %j',
    async (prefix) => {
      const odd = await freshDatabase(server, prefix);
      try {
        await sql(
          server,
          odd.name,
          'CREATE TABLE "Order ""x"" 🛒" (id int); INSERT INTO "Order ""x"" 🛒" VALUES (1), (2)',
        );
        const name = `odd-${Buffer.from(prefix).toString('hex').slice(0, 16)}`;
        await register(service, server, odd.name, name);
        const taken = await completedBackup(service, name);
        const done = await completedRestore(service, taken.id);
        expect(done.target.database_name.startsWith(odd.name)).toBe(true);
        expect(await countRows(server, done.target.database_name, '"Order ""x"" 🛒"')).toBe(2);
        const single = await completedRestore(service, taken.id, {
          tables: ['public.Order "x" 🛒'],
          target: { database_name: `${odd.name} t` },
        });
        expect(single.result?.compared.rows).toBe(2);
      } finally {
        await dropDatabasesLike(server, odd.name);
      }
    },
  );

  test('a name of 63 bytes is shortened between characters', async () => {
    const long = await freshDatabase(server, 'ä'.repeat(27));
    try {
      expect(Buffer.byteLength(long.name)).toBe(63);
      await register(service, server, long.name, 'long');
      const done = await completedRestore(service, (await completedBackup(service, 'long')).id);
      expect(Buffer.byteLength(done.target.database_name)).toBeLessThanOrEqual(63);
      expect(done.target.database_name).toMatch(/^ä+_restored_\d{8}_\d{6}$/);
      await sql(server, 'postgres', `DROP DATABASE "${done.target.database_name}"`);
    } finally {
      await long.drop();
    }
  });
});

describe('other servers', () => {
  const older = postgresServers().find(({ major }) => major === 17);

  test('a backup of 17 goes to 18', async (context) => {
    context.skip(
      older === undefined || server.major <= 17,
      'needs PostgreSQL 17 and a newer one in this run',
    );
    const from = postgresServer(17);
    const old = await freshShop(from, 'shop17');
    try {
      await register(service, from, old.name, 'shop17');
      const taken = await completedBackup(service, 'shop17');
      const done = await completedRestore(service, taken.id, { target: { database_id: 'shop' } });
      expect(done.target.port).toBe(server.port);
      expect(done.result).toMatchObject({ verified: true, compared: { rows: 2_500, schema: false } });
      const { body } = await service.request<BackupBody>('GET', `/backups/${taken.id}`);
      expect(body.evidence).toMatchObject({ level: 3, name: 'restorable' });
      expect(await countRows(server, done.target.database_name, 'orders')).toBe(2_000);
      expect(await databasesLike(from, old.name)).toEqual([old.name]);
    } finally {
      await dropDatabasesLike(server, old.name);
      await old.drop();
    }
  });

  test('an inline connection is sealed while it is needed, and never shown', async () => {
    const { host, port, username, password } = server;
    const done = await completedRestore(service, backup.id, {
      target: { connection: { host, port, username, password }, database_name: `${shop.name}_inline` },
    });
    expect(done.target.database_id).toBeNull();
    const shown = await service.request('GET', `/restores/${done.id}`);
    expect(shown.text).not.toContain(password);
    const folder = join(service.dataDir, 'data');
    for (const file of (await readdir(folder)).filter((name) => name.startsWith('backup.db'))) {
      expect(await readFile(join(folder, file), 'latin1')).not.toContain(password);
    }
    expect(
      service
        .logs()
        .map((line) => JSON.stringify(line))
        .join('\n'),
    ).not.toContain(password);
  });

  test('a backup whose database is registered no more needs a target, and then goes there', async () => {
    await register(service, server, shop.name, 'gone');
    const kept = await completedBackup(service, 'gone');
    expect((await service.request('DELETE', '/databases/gone')).status).toBe(204);
    const refused = await askRestore(service, kept.id);
    expect(refused).toMatchObject({ status: 400, body: { code: 'restore-target-missing' } });
    const done = await completedRestore(service, kept.id, {
      target: { database_id: 'shop', database_name: `${shop.name}_gone` },
    });
    expect(done.result?.verified).toBe(true);
  });
});

async function completedRestoreOf(id: string): Promise<RestoreBody> {
  const done = await restoreIn(service, id, 'completed', 'failed', 'cancelled');
  expect(done.error).toBeNull();
  return done;
}
