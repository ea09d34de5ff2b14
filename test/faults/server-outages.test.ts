import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startLocalPostgres } from '../../scripts/setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../../scripts/setup/postgres-binaries.mjs';
import type { PostgresServer } from '../support/postgres-server.ts';
import { type FreshDatabase, freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { askRestore, databasesLike, dropDatabasesLike, restoreIn } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, backupIn, completedBackup } from '../support/shop.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { PROMPT_MS } from './intensity.ts';
import {
  askBackup,
  BULK,
  BULK_ROWS,
  childrenOf,
  folderWithPgDump,
  troubled,
  untilNoSession,
} from './outage-world.ts';
import { aim, standsStillAt, strikeEnv } from './strike.ts';
import { type FarDatabase, IN_THE_MIDDLE, PACE, Way } from './way-to-server.ts';

const run = promisify(execFile);
const server = newestPostgresServer();
const env = {
  PG_BIN_DIRS: server.clientBinDirs.join(':'),
  RETRY_BACKOFF_SECONDS: '1',
  BACKUP_MAX_ATTEMPTS: '20',
  MAX_CONCURRENT_BACKUPS: '8',
  MAX_CONCURRENT_PER_HOST: '8',
};

let database: FreshDatabase;
/** The service of all tests but those of counting. */
let service: Service;
/** For restores, and for dumps of the databases that say nothing else. Longer than a busy machine takes to open a dump. */
const STALL_SECONDS = 8;
const PATIENT = { stall_seconds: 600 };

/** The bulk in a database of a server. */
function bulkOn(to: PostgresServer): FarDatabase {
  const { username, password } = to;
  return {
    server: to,
    registration: { engine: 'postgres', username, password, database_name: database.name },
    rows: BULK_ROWS + 10,
    names: () => databasesLike(to, ''),
  };
}

beforeAll(async () => {
  database = await freshDatabase(server, 'outage');
  await sql(server, database.name, BULK);
  service = await startService({ env: { ...env, STALL_SECONDS: String(STALL_SECONDS) } });
});
afterAll(async () => {
  if (service !== undefined) {
    expect(await childrenOf(service), 'tools that are left').toEqual([]);
    await service.stop();
  }
  await dropDatabasesLike(server, database.name);
});

describe.concurrent('a server that is lost in the middle of a dump', () => {
  const WAYS = {
    'is cut off': {
      options: PATIENT,
      lose: (proxy: TcpProxy) => proxy.cut(),
      codes: /^(connection-lost|server-unreachable)$/,
    },
    'resets every connection': {
      options: PATIENT,
      // No further attempt may begin while it is looked at what the first one has left.
      lose: (proxy: TcpProxy) => proxy.reset().then(() => proxy.cut()),
      codes: /^connection-lost$/,
    },
    'says nothing any more': {
      options: {},
      lose: async (proxy: TcpProxy) => proxy.blackHole(),
      codes: /^(archive-stalled|dump-not-opened)$/,
    },
  };
  test.each(Object.entries(WAYS))(
    '%s: told as what it is, nothing left, the next attempt good',
    async (_, { options, lose, codes }) => {
      await using way = await Way.make(service, bulkOn(server), options);
      const earlier = await completedBackup(service, way.name);
      const { id } = await way.inTheMiddle(IN_THE_MIDDLE * (1 + Math.random()));
      await lose(way.proxy);
      const { error } = await troubled(service, id);
      expect(error).toMatchObject({ code: expect.stringMatching(codes) as string, retryable: true });
      await way.expectRecovery(id, earlier);
    },
  );

  test('is merely slow, for longer than a stall may take: is waited for', async () => {
    await using way = await Way.make(service, bulkOn(server));
    way.proxy.throttle(PACE * 0.4);
    const begun = performance.now();
    expect((await completedBackup(service, way.name)).attempt).toBe(1);
    expect(performance.now() - begun).toBeGreaterThan(STALL_SECONDS * 1000);
  });
});

describe('a server that counts', () => {
  /** Each is counted by one question, and the tool's dump of them takes no time. */
  const TABLES = Array.from({ length: 40 }, (_, index) => `t${index}`);
  const DELAY_MS = 150; // together longer than `STALL_SECONDS`
  /** With this, counting takes longer than `PROMPT_MS`, and no answer as long as a stall. */
  const LONG_DELAY_MS = 700;
  let many: FreshDatabase;
  let bin: string;
  let counter: Service;
  let way: Way;

  beforeAll(async () => {
    many = await freshDatabase(server, 'counting');
    await sql(server, many.name, TABLES.map((name) => `CREATE TABLE ${name} AS SELECT 1 AS id;`).join('\n'));
    bin = await folderWithPgDump(`exec cat "$(dirname "$0")/dump"`);
    const { username, password, host, port } = server;
    const url = `postgres://${username}:${password}@${host}:${port}/${many.name}`;
    const tool = join(server.clientBinDirs.at(-1)!, 'pg_dump');
    await run(tool, ['-Fc', '-Z0', '-f', join(bin, 'dump'), '-d', url]);
    const dirs = [bin, ...server.clientBinDirs].join(':');
    counter = await startService({
      env: { ...env, PG_BIN_DIRS: dirs, STALL_SECONDS: String(STALL_SECONDS), ...strikeEnv(bin) },
    });
    const far = { ...bulkOn(server), rows: TABLES.length };
    far.registration = { ...far.registration, database_name: many.name };
    way = await Way.make(counter, far);
  });
  afterAll(async () => {
    await way?.[Symbol.asyncDispose]();
    await counter?.stop();
    await dropDatabasesLike(server, many.name);
    await rm(bin, { recursive: true });
  });

  /** The way is slow from when the dump has been opened. */
  async function counting(): Promise<BackupBody> {
    await aim(bin, { point: 'backup.dump-opened', signal: 'SIGSTOP' });
    const asked = await askBackup(counter, way.name);
    await standsStillAt('backup.dump-opened', { pid: counter.pid, folder: bin });
    way.proxy.delay(DELAY_MS);
    process.kill(counter.pid, 'SIGCONT');
    await until('the counting to begin', async () => {
      const { body } = await counter.request<BackupBody>('GET', `/backups/${asked.id}`);
      return body.progress?.phase === 'counting';
    });
    return asked;
  }

  test('for longer than a stall may take is waited for, as long as it counts', async () => {
    const begun = performance.now();
    const { id } = await counting();
    expect(await backupIn(counter, id, 'completed', 'failed')).toMatchObject({
      status: 'completed',
      attempt: 1,
    });
    expect(performance.now() - begun).toBeGreaterThan(STALL_SECONDS * 1000);
    way.proxy.mend();
  });

  test('and never answers is given up, retryable; nothing is left, and the next attempt is good', async () => {
    const before = await way.files();
    const { id } = await counting();
    way.proxy.blackHole();
    const { error } = await troubled(counter, id);
    expect(error).toMatchObject({ code: 'counting-stalled', retryable: true });
    expect(await way.files()).toEqual(before);
    way.proxy.mend();
    const done = await backupIn(counter, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', contents: { items: 40, rows: 40 } });
    await untilNoSession(server, many.name);
  });

  test('is let go soon when its backup is cancelled, and nothing is left', async () => {
    const before = await way.files();
    const { id } = await counting();
    way.proxy.delay(LONG_DELAY_MS);
    expect((await counter.request('POST', `/backups/${id}/cancel`)).status).toBe(202);
    const isOver = async (): Promise<boolean> =>
      (await counter.request<BackupBody>('GET', `/backups/${id}`)).body.status === 'cancelled';
    await until('the backup to be cancelled', isOver, PROMPT_MS);
    expect(await way.files()).toEqual(before);
    way.proxy.mend();
    await untilNoSession(server, many.name);
  });

  test('for a comparison is let go soon when its restore is cancelled, and its database dropped', async () => {
    const backup = await completedBackup(counter, way.name);
    const before = await databasesLike(server, many.name);
    await aim(bin, { point: 'restore.loaded', signal: 'SIGSTOP' });
    const { id } = (await askRestore(counter, backup.id)).body;
    await standsStillAt('restore.loaded', { pid: counter.pid, folder: bin });
    // Only the comparison is slow: the loading talks to the server much more often.
    way.proxy.delay(DELAY_MS);
    process.kill(counter.pid, 'SIGCONT');
    await until(
      'the restore to compare',
      async () => (await way.restore(id)).progress?.phase === 'comparing',
    );
    way.proxy.delay(LONG_DELAY_MS);
    expect((await counter.request('POST', `/restores/${id}/cancel`)).status).toBe(202);
    const isOver = async (): Promise<boolean> => (await way.restore(id)).status === 'cancelled';
    await until('the restore to be cancelled', isOver, PROMPT_MS);
    way.proxy.mend();
    expect(await databasesLike(server, many.name)).toEqual(before);
    expect(await childrenOf(counter)).toEqual([]);
  });
});

describe('a server that is lost in the middle of a restore', () => {
  test('says nothing any more: the restore is given up, and its database dropped when it is back', async () => {
    await using way = await Way.make(service, bulkOn(server));
    const backup = await completedBackup(service, way.name);
    const id = await way.loading(backup); // and nothing is said any more
    const failed = await restoreIn(service, id, 'failed', 'completed');
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'restore-stalled', retryable: true } });
    await way.expectRestorable(id, backup);
  });
});

/** A server of its own, because others use the shared ones. */
async function ownServer(): Promise<OwnServer & { at: PostgresServer }> {
  const bin = await ensurePostgresBinaries(15);
  const own = await startLocalPostgres({
    bin,
    username: 'backstop',
    password: 'not-a-secret-for-tests',
    settings: ['fsync=off'],
  });
  const at = { ...server, ...own, major: 15 };
  await sql(at, 'postgres', `CREATE DATABASE ${database.name}`);
  await sql(at, database.name, BULK);
  return { ...own, at };
}
type OwnServer = Awaited<ReturnType<typeof startLocalPostgres>>;

describe.concurrent.each([
  { name: 'is stopped', signal: 'SIGINT' as const },
  { name: 'crashes', signal: 'SIGQUIT' as const },
])('a server that $name and is started again', ({ signal }) => {
  const codes = expect.stringMatching(/^(connection-lost|server-unreachable)$/) as string;
  let own: Awaited<ReturnType<typeof ownServer>>;
  let way: Way;

  beforeAll(async () => {
    own = await ownServer();
    way = await Way.make(service, bulkOn(own.at), PATIENT);
  });
  afterAll(async () => {
    await way?.[Symbol.asyncDispose]();
    await own?.stop();
  });

  test('in the middle of a dump', { concurrent: false }, async () => {
    const earlier = await completedBackup(service, way.name);
    const { id } = await way.inTheMiddle();
    await own.halt(signal);
    expect((await troubled(service, id)).error).toMatchObject({ code: codes, retryable: true });
    await own.resume();
    await way.expectRecovery(id, earlier);
  });

  test('in the middle of a restore', { concurrent: false }, async () => {
    const backup = await completedBackup(service, way.name);
    const id = await way.loading(backup);
    await own.halt(signal);
    way.proxy.mend();
    const failed = await restoreIn(service, id, 'failed', 'completed');
    expect(failed).toMatchObject({ status: 'failed', error: { code: codes, retryable: true } });
    await own.resume();
    await way.expectRestorable(id, backup);
  });
});
