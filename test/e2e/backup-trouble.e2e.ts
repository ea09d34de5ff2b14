import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { MARK_KEY } from '../../src/storage/marked-storage.ts';
import {
  connect,
  freshDatabase,
  postgresServers,
  newestPostgresServer,
  sql,
} from '../support/postgres-servers.ts';
import { processesOf, type Service, startService } from '../support/service.ts';
import {
  backupIn,
  type BackupBody,
  completedBackup,
  freshShop,
  holdTable,
  register,
} from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), RETRY_BACKOFF_SECONDS: '1' };

/** For all that needs no settings or tools of its own; each test has databases of its own in it. */
let common: Service;
beforeAll(async () => {
  common = await startService({ env: { ...env, BACKUP_MAX_ATTEMPTS: '2' } });
});
afterAll(async () => {
  await common?.stop();
});

let undo: AsyncDisposableStack;
beforeEach(() => {
  undo = new AsyncDisposableStack();
});
afterEach(async () => {
  await undo.disposeAsync();
});

async function serviceFor(more: Record<string, string> = {}, dataDir?: string): Promise<Service> {
  return undo.use(await startService({ env: { ...env, ...more }, ...(dataDir && { dataDir }) }));
}

async function shopFor(service: Service, name = 'shop', more: object = {}): Promise<string> {
  const shop = undo.use(await freshShop(server));
  await register(service, server, shop.name, name, { ...more });
  return shop.name;
}

async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-e2e-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Everything below the backup folder but its mark; or what is there of one database. */
async function filesOf(service: Service, database?: string): Promise<string[]> {
  const entries = await readdir(join(service.dataDir, 'data', 'backups'), {
    recursive: true,
    withFileTypes: true,
  });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  return files.filter(
    (name) => name !== MARK_KEY && (database === undefined || name.includes(`_${database}_`)),
  );
}

/** Sessions of Backstop in a database, the dump's and the snapshot's alike. */
async function sessionsIn(database: string): Promise<number> {
  const [row] = await sql<{ n: string }>(
    server,
    'postgres',
    `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = $1 AND application_name ~ '^backstop [0-9a-f]+'`,
    [database],
  );
  return Number(row?.n);
}

async function failedWith(service: Service, name: string, code: string): Promise<BackupBody> {
  const asked = await service.request<BackupBody>('POST', '/backups', { database_id: name });
  expect(asked.status).toBe(202);
  const failed = await backupIn(service, asked.body.id, 'failed', 'completed');
  expect(failed).toMatchObject({ status: 'failed', error: { code } });
  expect(await filesOf(service, name)).toEqual([]);
  return failed;
}

/** A pg_dump that is not the real one: prints `--version` like it, then runs `script`. */
async function toolsThat(script: string): Promise<string> {
  const folder = await ownFolder();
  const real = join(server.clientBinDirs.at(-1)!, 'pg_dump');
  const file = join(folder, 'pg_dump');
  await writeFile(file, `#!/bin/sh\ncase "$*" in *--version*) exec ${real} "$@";; esac\n${script}\n`);
  await chmod(file, 0o755);
  return folder;
}

/** Begins like a dump, and then does nothing more; ends when nobody reads it any more. */
const STANDS_STILL = 'head -c 5000 /dev/zero; while sleep 0.2; do kill -0 $PPID 2>/dev/null || exit 1; done';

/** Waits until the dump itself runs: the service is no longer the only process. */
async function dumpRuns(service: Service): Promise<void> {
  await until('the dump to run', async () => (await processesOf(service.dataDir)).length > 1);
}

describe('cancelling', () => {
  test('a waiting backup never runs', async () => {
    const service = await serviceFor({ MAX_CONCURRENT_BACKUPS: '1' });
    const held = await shopFor(service, 'held');
    await shopFor(service, 'waiting');
    undo.defer(await holdTable(server, held, 'orders'));
    const first = await service.request<BackupBody>('POST', '/backups', { database_id: 'held' });
    await backupIn(service, first.body.id, 'running');
    const second = await service.request<BackupBody>('POST', '/backups', { database_id: 'waiting' });
    const cancelled = await service.request<BackupBody>('POST', `/backups/${second.body.id}/cancel`);
    expect([cancelled.status, cancelled.body.status]).toEqual([202, 'cancelled']);
    await service.request('POST', `/backups/${first.body.id}/cancel`);
    await backupIn(service, first.body.id, 'cancelled');
  });

  test('one that waits for a lock leaves nothing', async () => {
    const shop = await shopFor(common, 'locked');
    undo.defer(await holdTable(server, shop, 'orders'));
    const { body } = await common.request<BackupBody>('POST', '/backups', { database_id: 'locked' });
    await until('the lock to be waited for', async () => (await sessionsIn(shop)) > 0);
    await common.request('POST', `/backups/${body.id}/cancel`);
    await backupIn(common, body.id, 'cancelled');
    await until('the sessions to end', async () => (await sessionsIn(shop)) === 0);
  });

  test('one that dumps leaves nothing: no process, no session, no file', async () => {
    const service = await serviceFor({ PG_BIN_DIRS: await toolsThat(STANDS_STILL) });
    const shop = await shopFor(service);
    const { body } = await service.request<BackupBody>('POST', '/backups', {});
    await dumpRuns(service);
    await service.request('POST', `/backups/${body.id}/cancel`);
    const cancelled = await backupIn(service, body.id, 'cancelled');
    expect(cancelled.error).toMatchObject({ code: 'backup-cancelled' });
    expect(await processesOf(service.dataDir)).toHaveLength(1);
    expect(await filesOf(service)).toEqual([]);
    await until('the sessions to end', async () => (await sessionsIn(shop)) === 0);
  });

  test('one that has ended is refused', async () => {
    await shopFor(common, 'ended');
    const done = await completedBackup(common, 'ended');
    const answer = await common.request('POST', `/backups/${done.id}/cancel`);
    expect(answer.body).toMatchObject({
      status: 409,
      code: 'backup-not-in-state',
      facts: { status: 'completed' },
    });
  });
});

describe('a backup that cannot succeed', () => {
  test('fails with the table that may not be read', async () => {
    const shop = await shopFor(common, 'admin');
    const role = `reader_${shop.replaceAll(/\W/g, '_')}`;
    await sql(server, shop, `CREATE ROLE ${role} LOGIN PASSWORD 'not-a-secret'`);
    undo.defer(async () => {
      await sql(server, shop, `DROP OWNED BY ${role}`);
      await sql(server, 'postgres', `DROP ROLE ${role}`);
    });
    await sql(server, shop, `GRANT SELECT ON customers, empty TO ${role}`);
    await register(common, server, shop, 'reader', { username: role, password: 'not-a-secret' });
    const failed = await failedWith(common, 'reader', 'permission-denied');
    expect(failed.error?.detail).toContain('orders');
    expect(failed.attempt).toBe(1);
  });

  test('fails when the password is wrong, at once', async () => {
    const shop = undo.use(await freshShop(server));
    await register(common, server, shop.name, 'guessed', { password: 'not-the-password' });
    const failed = await failedWith(common, 'guessed', 'authentication-failed');
    expect(failed.attempt).toBe(1);
  });

  test('tries again, and again, when the server is down, and then fails', async () => {
    await register(common, { ...server, port: 1 }, 'nothing', 'down');
    const failed = await failedWith(common, 'down', 'server-unreachable');
    expect(failed).toMatchObject({ attempt: 2, error: { retryable: true } });
  });

  test('fails when it takes longer than allowed', async () => {
    const shop = await shopFor(common, 'late', { options: { timeout_seconds: 1 } });
    undo.defer(await holdTable(server, shop, 'orders'));
    await failedWith(common, 'late', 'backup-timeout');
  });

  test('fails when a lock keeps the dump from beginning for too long', async () => {
    const shop = await shopFor(common, 'held-up', { options: { stall_seconds: 1 } });
    undo.defer(await holdTable(server, shop, 'orders'));
    await failedWith(common, 'held-up', 'dump-not-opened');
  });

  test('fails when the dump stands still for too long', async () => {
    const tools = await toolsThat(STANDS_STILL);
    const service = await serviceFor({ BACKUP_MAX_ATTEMPTS: '1', PG_BIN_DIRS: tools });
    // Longer than a busy machine takes to open a dump, which the same limit holds for.
    await shopFor(service, 'shop', { options: { stall_seconds: 5 } });
    await failedWith(service, 'shop', 'archive-stalled');
  });

  test('fails when the backup folder cannot be written, and works again when it can', async () => {
    await shopFor(common, 'stored');
    const folder = join(common.dataDir, 'data', 'backups');
    // Root may write anywhere, so something that is no folder stands in the way.
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'stored'), 'in the way');
    const { body } = await common.request<BackupBody>('POST', '/backups', { database_id: 'stored' });
    const failed = await backupIn(common, body.id, 'failed', 'completed');
    expect(failed.error?.code).toMatch(/^storage-/);
    await rm(join(folder, 'stored'));
    await completedBackup(common, 'stored');
  });

  test('reports the failure to who waits for it', async () => {
    const shop = undo.use(await freshShop(server));
    await register(common, server, shop.name, 'waited-for', { password: 'not-the-password' });
    const answer = await common.request('POST', '/backups?wait=completed', { database_id: 'waited-for' });
    expect(answer.body).toMatchObject({
      status: 422,
      code: 'backup-failed',
      facts: { error: { code: 'authentication-failed' } },
    });
  });
});

describe('a tool that lies', () => {
  test.each([
    { name: 'prints a dump and exits 3', script: 'head -c 300000 /dev/zero; exit 3' },
    { name: 'is killed after printing', script: 'head -c 300000 /dev/zero; kill -9 $$' },
    {
      name: 'closes stdout and exits 1 later',
      script: 'head -c 3000 /dev/zero; exec 1>&-; sleep 0.2; exit 1',
    },
    { name: 'prints nothing and exits 0', script: 'exit 0' },
  ])('one that $name never makes a backup', async ({ script }) => {
    const service = await serviceFor({ PG_BIN_DIRS: await toolsThat(script), BACKUP_MAX_ATTEMPTS: '1' });
    await shopFor(service);
    const { body } = await service.request<BackupBody>('POST', '/backups', {});
    const failed = await backupIn(service, body.id, 'failed', 'completed');
    expect(failed.status).toBe('failed');
    expect(await filesOf(service)).toEqual([]);
  });
});

describe('a service that dies', () => {
  test('kill -9 in the middle of a dump: after the start nothing is left of it, and the backup is made', async () => {
    const data = await ownFolder();
    const before = await startService({ env, dataDir: data });
    await shopFor(before);
    const good = await completedBackup(before, 'shop');
    await before.stop();
    const first = await startService({
      env: { ...env, PG_BIN_DIRS: await toolsThat(STANDS_STILL) },
      dataDir: data,
    });
    const { body } = await first.request<BackupBody>('POST', '/backups', {});
    await dumpRuns(first);
    await first.stop('SIGKILL');

    const second = await serviceFor({}, data);
    const done = await backupIn(second, body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', attempt: 2, copies: [{ state: 'stored' }] });
    const kept = [good.filename, done.filename].flatMap((name) => [name, `${name}.manifest.json`]);
    expect((await filesOf(second)).toSorted()).toEqual(kept.toSorted());
    await until('the old dump to end', async () => (await processesOf(data)).length === 1);
  });

  test('SIGTERM in the middle of a dump: ends within the grace time, goes on at the next start', async () => {
    const data = await ownFolder();
    const tools = await toolsThat(STANDS_STILL);
    const first = await startService({
      env: { ...env, SHUTDOWN_GRACE_SECONDS: '1', PG_BIN_DIRS: tools },
      dataDir: data,
    });
    await shopFor(first);
    await shopFor(first, 'other');
    const { body } = await first.request<BackupBody>('POST', '/backups', { database_id: 'shop' });
    await dumpRuns(first);
    const waiting = first.request('POST', '/backups?wait=completed', { database_id: 'other' });
    await until('the second backup to begin', async () => {
      const { body: both } = await first.request<BackupBody[]>('GET', '/backups');
      return both.length === 2;
    });
    const exit = await first.stop('SIGTERM');
    expect(exit.code).toBe(0);
    expect((await waiting).body).toMatchObject({ status: 503, code: 'shutting-down' });
    const second = await serviceFor({}, data);
    expect((await backupIn(second, body.id, 'completed', 'failed')).status).toBe('completed');
  });
});

describe('names that hurt', () => {
  let number = 0;
  test.each([
    'it\'s "quoted"',
    'mit Leerzeichen',
    '-rf',
    'Ünïcödé 数据',
    String.raw`back\slash`,
    'a=b dbname=postgres',
  ])('a database called %s, with such tables, is backed up whole', async (prefix) => {
    const database = undo.use(await freshDatabase(server, prefix));
    const client = await connect(server, database.name);
    try {
      await client.query(`CREATE SCHEMA "-s 'x' ""y"" ü"`);
      await client.query(
        `CREATE TABLE "-s 'x' ""y"" ü"."--clean" AS SELECT generate_series(1, 7) AS "select"`,
      );
    } finally {
      await client.end();
    }
    const id = await register(common, server, database.name, `hurts-${(number += 1)}`);
    const done = await completedBackup(common, id);
    expect(done.contents).toMatchObject({ items: 1, rows: 7 });
  });
});

describe.each(postgresServers())('PostgreSQL $major', (one) => {
  test('is backed up by the smallest client that is new enough', async () => {
    const shop = await freshShop(one);
    undo.use(shop);
    await register(common, one, shop.name, `of-${one.major}`);
    const done = await completedBackup(common, `of-${one.major}`);
    expect(done.tool).toMatch(new RegExp(`^pg_dump ${one.major}\\.`));
  });

  test('is refused when only an older client is there', async (context) => {
    const older = one.clientBinDirs.filter((_, index) => index === 0);
    if (one.major <= 15) context.skip('there is no client older than this server');
    const service = await serviceFor({ PG_BIN_DIRS: older.join(':'), PATH: '/nonexistent' });
    const shop = await freshShop(one);
    undo.use(shop);
    await register(service, one, shop.name, 'shop');
    const failed = await failedWith(service, 'shop', 'tool-too-old');
    expect(failed.error?.detail).toContain(String(one.major));
  });
});
