import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import {
  connect,
  freshDatabase,
  type FreshDatabase,
  newestPostgresServer,
  sql,
} from '../support/postgres-servers.ts';
import { askRestore, restoreIn } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { backupIn, type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { askVerification, endedVerification, verificationIn } from '../support/verifications.ts';

const server = newestPostgresServer();
/** A database that nothing connects to. */
const nowhere = { engine: 'postgres', host: 'db.example.com', database_name: 'shop' };
let catalog: FreshDatabase;
let shop: FreshDatabase;
let service: Service;
let data: string;
let env: Record<string, string>;

beforeAll(async () => {
  catalog = await freshDatabase(server, 'catalog');
  shop = await freshShop(server);
  const { username, password, host, port } = server;
  env = {
    PG_BIN_DIRS: server.clientBinDirs.join(':'),
    DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}`,
  };
  data = await mkdtemp(join(tmpdir(), 'backstop-e2e-'));
  service = await startService({ env, dataDir: data });
  await register(service, server, shop.name, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
  await catalog?.drop();
  await rm(data, { recursive: true });
});

describe('with a catalog in PostgreSQL', () => {
  test('backs up, lists, counts and removes as with SQLite', async () => {
    const first = await completedBackup(service, 'shop', { description: 'Uno', locked: true });
    const second = await completedBackup(service, 'shop', { description: 'dos' });
    expect(first).toMatchObject({
      contents: { items: 3, rows: 2_500 },
      locked: true,
      evidence: { level: 0 },
    });

    const listed = await service.request<BackupBody[]>('GET', '/backups?q=uno&status=completed');
    expect(listed.body.map(({ id }) => id)).toEqual([first.id]);
    const page = await service.request<BackupBody[]>('GET', '/backups?limit=1');
    expect(page.body.map(({ id }) => id)).toEqual([second.id]);
    const next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await service.request<BackupBody[]>('GET', next)).body.map(({ id }) => id)).toEqual([first.id]);

    const stats = await service.request('GET', '/backups/stats');
    expect(stats.body).toMatchObject({
      completed: 2,
      success_rate: 1,
      total_size_bytes: first.size_bytes + second.size_bytes,
      per_day: [{ completed: 2, failed: 0 }],
    });
    const gone = await service.request<BackupBody>('DELETE', `/backups/${second.id}`);
    expect(gone.body).toMatchObject({ status: 'expired', copies: [] });
  });

  test('verifies a backup, once for one key, also when two ask at once', async () => {
    const backup = await completedBackup(service, 'shop');
    const key = { 'idempotency-key': 'verified at once' };
    const both = await Promise.all([
      askVerification(service, backup.id, { level: 'intact' }, key),
      askVerification(service, backup.id, { level: 'intact' }, key),
    ]);
    expect(both.map(({ status }) => status)).toEqual([202, 202]);
    expect(both[1].body.id).toBe(both[0].body.id);
    await verificationIn(service, both[0].body.id, 'completed');
    expect(await endedVerification(service, backup.id)).toMatchObject({ outcome: 'passed' });
    const { body } = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
    expect(body.evidence).toMatchObject({ name: 'readable' });
    const listed = await service.request<{ id: string }[]>(
      'GET',
      `/verifications?backup_id=${backup.id}&limit=1`,
    );
    expect(listed.headers.get('x-total-count')).toBe('2');
    const next = /<([^>]+)>/.exec(listed.headers.get('link') ?? '')?.[1] ?? '';
    expect((await service.request<{ id: string }[]>('GET', next)).body).toMatchObject([
      { id: both[0].body.id },
    ]);
  });

  test('a list shows at once what another process has written', async () => {
    const [listed] = (await service.request<BackupBody[]>('GET', '/backups?limit=1')).body;
    const { host, port, username: user, password } = server;
    const other = new Client({ host, port, user, password, database: catalog.name });
    await other.connect();
    await other.query('UPDATE backups SET description = $1 WHERE id = $2', ['by another', listed?.id]);
    await other.end();
    const { body } = await service.request<BackupBody[]>('GET', '/backups?limit=1');
    expect(body).toMatchObject([{ id: listed?.id, description: 'by another' }]);
  });

  test('of many requests at once for one database, one is served', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service.request<BackupBody>('POST', '/backups', {})),
    );
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    await backupIn(service, accepted[0]!.body.id, 'completed');
  });

  test('a repeated idempotency key gives the first record, also at once', async () => {
    const send = (): Promise<{ status: number; body: BackupBody }> =>
      service.request<BackupBody>('POST', '/backups?wait=completed', {}, { 'idempotency-key': 'once' });
    const [one, other] = await Promise.all([send(), send()]);
    expect([one.status, other.status, other.body.id]).toEqual([200, 200, one.body.id]);
  });

  test.each([
    { what: 'target', column: 'active_target', status: 409, code: 'restore-target-busy' },
    { what: 'idempotency key', column: 'idempotency_key', status: 202, code: undefined },
  ])('a restore that loses the race for its $what is no error of the service', async (race) => {
    const { id: backupId } = await completedBackup(service, 'shop');
    const body = { target: { database_name: `${shop.name}_${race.column}` } };
    const earlier = await askRestore(service, backupId, body, { 'idempotency-key': 'earlier' });
    await restoreIn(service, earlier.body.id, 'completed');
    await sql(server, 'postgres', `DROP DATABASE "${body.target.database_name}"`);
    // Another service has inserted its restore, and is about to commit.
    const other = await connect(server, catalog.name);
    onTestFinished(() => other.end());
    await other.query('BEGIN');
    const faster = { id: uuidv7(), active_target: null, idempotency_key: null };
    const taken =
      race.column === 'idempotency_key'
        ? { idempotency_key: 'at once' }
        : { active_target: `${server.host}:${server.port}/${body.target.database_name}`, status: 'running' };
    await other.query(
      `INSERT INTO restores SELECT (jsonb_populate_record(r, $2)).* FROM restores r WHERE id = $1`,
      [earlier.body.id, { ...faster, ...taken }],
    );
    const asked = askRestore(service, backupId, body, { 'idempotency-key': 'at once' });
    await until('the service to wait for that', async () => {
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
      return (await sql(server, 'postgres', waiting, [catalog.name])).length > 0;
    });
    await other.query('COMMIT');
    const answer = await asked;
    expect(answer.body).toMatchObject({ status: race.code === undefined ? 'completed' : race.status });
    expect([answer.status, answer.body.code]).toEqual([race.status, race.code]);
    if (race.code === undefined) expect(answer.body.id).toBe(faster.id);
    await other.query('DELETE FROM restores WHERE id = $1', [faster.id]);
    await other.query(`UPDATE restores SET idempotency_key = NULL`);
  });

  test('a backup that loses the race for its idempotency key to another database is told so', async () => {
    await register(service, server, shop.name, 'twin');
    const { id: pattern } = await completedBackup(service, 'twin');
    // Another service has inserted the backup of the other database, and is about to commit.
    const other = await connect(server, catalog.name);
    onTestFinished(() => other.end());
    const faster = { id: uuidv7(), idempotency_key: 'in a race' };
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO backups SELECT (jsonb_populate_record(b, $2)).* FROM backups b WHERE id = $1`,
      [pattern, faster],
    );
    const body = { database_id: 'shop' };
    const asked = service.request('POST', '/backups', body, { 'idempotency-key': faster.idempotency_key });
    await until('the service to wait for that', async () => {
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
      return (await sql(server, 'postgres', waiting, [catalog.name])).length > 0;
    });
    await other.query('COMMIT');
    expect(await asked).toMatchObject({
      status: 409,
      body: { code: 'idempotency-key-reused', facts: { backup_id: faster.id, database: 'twin' } },
    });
    await other.query('DELETE FROM backups WHERE id = $1', [faster.id]);
  });

  test.each([
    {
      table: 'databases',
      bodies: ['once', 'once', 'once', 'once'].map((name) => ({ ...nowhere, name })),
      statuses: [201, 201, 201, 201],
    },
    {
      table: 'databases',
      bodies: ['one', 'other'].map((name) => ({ ...nowhere, name })),
      statuses: [201, 409],
    },
    {
      table: 'schedules',
      bodies: ['shop', 'shop', 'shop'].map((database_id) => ({
        database_id,
        name: 'once',
        cron: '0 3 * * *',
      })),
      statuses: [201, 201, 201],
    },
    {
      table: 'schedules',
      bodies: ['shop', 'near'].map((database_id) => ({ database_id, name: 'other', cron: '0 3 * * *' })),
      statuses: [201, 409],
    },
  ])(
    'one key makes one record of requests to $table at once, answered with $statuses',
    async ({ table, bodies, statuses }) => {
      await service.request('POST', '/databases', { ...nowhere, name: 'near' });
      const key = { 'idempotency-key': `${table}: ${statuses.join()}` };
      // All of them have looked whether the key is known, and wait to insert.
      const other = await connect(server, catalog.name);
      onTestFinished(() => other.end());
      await other.query(`BEGIN; LOCK TABLE ${table} IN SHARE MODE`);
      const asked = Promise.all(
        bodies.map((body) => service.request<{ id: string }>('POST', `/${table}`, body, key)),
      );
      await until('all of them to wait', async () => {
        const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
        return (await sql(server, 'postgres', waiting, [catalog.name])).length === bodies.length;
      });
      await other.query('COMMIT');
      const answers = await asked;
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual(statuses);
      const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
      expect(new Set(made).size).toBe(1);
      for (const { status, body } of answers) {
        if (status === 409) expect(body).toMatchObject({ code: 'idempotency-key-reused' });
      }
      const rows = `SELECT id FROM ${table} WHERE idempotency_key = $1`;
      expect(await sql(server, catalog.name, rows, [key['idempotency-key']])).toEqual([{ id: made[0] }]);
      await service.request('DELETE', `/${table}/${made[0]}`);
    },
  );

  test('remembers everything after a restart', async () => {
    const before = (await service.request('GET', '/backups')).text;
    await service.stop('SIGKILL');
    service = await startService({ env, dataDir: data });
    expect((await service.request('GET', '/backups')).text).toBe(before);
    await completedBackup(service, 'shop');
  });
});
