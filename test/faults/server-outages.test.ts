import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startLocalPostgres } from '../../scripts/setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../../scripts/setup/postgres-binaries.mjs';
import type { PostgresServer } from '../support/postgres-server.ts';
import { type FreshDatabase, freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { askRestore, dropDatabasesLike, type RestoreBody, restoreIn } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, backupIn, completedBackup, register } from '../support/shop.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import {
  askBackup,
  BULK,
  BULK_ROWS,
  childrenOf,
  filesIn,
  filesOf,
  folderWithPgDump,
  troubled,
  untilNoSession,
} from './outage-world.ts';

const server = newestPostgresServer();
/** The dump then takes some four seconds. */
const PACE = 2 * 1024 * 1024;
const IN_THE_MIDDLE = 1024 * 1024;

let database: FreshDatabase;

beforeAll(async () => {
  database = await freshDatabase(server, 'outage');
  await sql(server, database.name, BULK);
});
afterAll(async () => {
  await dropDatabasesLike(server, database.name);
});

/** A service, and the way from it to the server of its database `outage`. */
class World implements AsyncDisposable {
  readonly #undo = new AsyncDisposableStack();
  readonly proxy: TcpProxy;
  service: Service;

  private constructor(proxy: TcpProxy, service: Service) {
    this.proxy = this.#undo.use(proxy);
    this.service = this.#undo.use(service);
  }

  static async make(
    env: Record<string, string> = {},
    options: object = {},
    at: PostgresServer = server,
  ): Promise<World> {
    const proxy = await startProxy(at);
    const service = await startService({
      env: {
        PG_BIN_DIRS: server.clientBinDirs.join(':'),
        RETRY_BACKOFF_SECONDS: '1',
        BACKUP_MAX_ATTEMPTS: '20',
        ...env,
      },
    });
    await register(service, { ...at, ...proxy.address }, database.name, 'outage', { options });
    return new World(proxy, service);
  }

  get folder(): string {
    return join(this.service.dataDir, 'data', 'backups');
  }

  /** Begins a slow dump, and waits until so many bytes of it have come through. */
  async inTheMiddle(bytes = IN_THE_MIDDLE): Promise<BackupBody> {
    this.proxy.throttle(PACE);
    const before = this.proxy.received;
    const asked = await askBackup(this.service, 'outage');
    await until('the dump to be in its middle', () => this.proxy.received > before + bytes);
    return asked;
  }

  /** What every trouble of a server must leave: nothing. And the next attempt is good. */
  async expectRecovery(id: string, earlier: BackupBody): Promise<void> {
    expect(await filesIn(this.folder)).toEqual(filesOf(earlier));
    this.proxy.mend();
    const done = await backupIn(this.service, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', contents: { rows: BULK_ROWS + 10 }, error: null });
    expect(done.attempt).toBeGreaterThan(1);
    expect(await filesIn(this.folder)).toEqual(filesOf(earlier, done));
    expect(await childrenOf(this.service)).toEqual([]);
  }

  /** Begins a slow restore, and waits until it loads. */
  async loading(backup: BackupBody): Promise<string> {
    this.proxy.throttle(PACE);
    const { id } = (await askRestore(this.service, backup.id)).body;
    await until('the restore to load', async () => {
      const { progress } = await this.restore(id);
      return progress?.phase === 'restoring' && progress.bytes > IN_THE_MIDDLE;
    });
    return id;
  }

  async restore(id: string): Promise<RestoreBody> {
    return (await this.service.request<RestoreBody>('GET', `/restores/${id}`)).body;
  }

  /** A restore that failed leaves no database, as soon as its server can be asked; and it can be asked for again. */
  async expectRestorable(failedId: string, backup: BackupBody): Promise<void> {
    this.proxy.mend();
    const isClean = async (): Promise<boolean> => (await this.restore(failedId)).unfinished_database === null;
    await until('the unfinished database to be dropped', isClean, 60_000);
    const again = await askRestore(this.service, backup.id);
    expect((await restoreIn(this.service, again.body.id, 'completed', 'failed')).status).toBe('completed');
    expect(await childrenOf(this.service)).toEqual([]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }
}

describe.concurrent('a server that is lost in the middle of a dump', () => {
  const WAYS = {
    'is cut off': { lose: (proxy: TcpProxy) => proxy.cut(), codes: /^(connection-lost|server-unreachable)$/ },
    'resets every connection': { lose: (proxy: TcpProxy) => proxy.reset(), codes: /^connection-lost$/ },
    'says nothing any more': {
      lose: async (proxy: TcpProxy) => proxy.blackHole(),
      codes: /^(archive-stalled|dump-not-opened)$/,
    },
  };
  test.each(Object.entries(WAYS))(
    '%s: told as what it is, nothing left, the next attempt good',
    async (_, way) => {
      await using world = await World.make({}, { stall_seconds: 2 });
      const earlier = await completedBackup(world.service, 'outage');
      const { id } = await world.inTheMiddle(IN_THE_MIDDLE * (1 + Math.random()));
      await way.lose(world.proxy);
      const { error } = await troubled(world.service, id);
      expect(error).toMatchObject({ code: expect.stringMatching(way.codes) as string, retryable: true });
      await world.expectRecovery(id, earlier);
    },
  );

  test('is merely slow, for longer than a stall may take: is waited for', async () => {
    await using world = await World.make({}, { stall_seconds: 3 });
    world.proxy.throttle(PACE);
    const begun = performance.now();
    expect((await completedBackup(world.service, 'outage')).attempt).toBe(1);
    expect(performance.now() - begun).toBeGreaterThan(3_000);
  });
});

describe.concurrent('a server that counts', () => {
  /** Many small tables, each counted by one question, and a tool whose dump of them takes no time. */
  async function countingWorld(): Promise<AsyncDisposable & { world: World; tables: string }> {
    const many = await freshDatabase(server, 'counting');
    await sql(server, many.name, TABLES.map((name) => `CREATE TABLE ${name} AS SELECT 1 AS id;`).join('\n'));
    const bin = await folderWithPgDump(`exec cat "$(dirname "$0")/dump"`);
    await using first = await World.make();
    const { id } = await completedBackup(
      first.service,
      await register(first.service, server, many.name, 'it'),
    );
    const plain = await fetch(`${first.service.url}/backups/${id}/download?plain=true`);
    await writeFile(join(bin, 'dump'), Buffer.from(await plain.arrayBuffer()));
    const world = await World.make({ PG_BIN_DIRS: bin });
    await register(world.service, { ...server, ...world.proxy.address }, many.name, 'counting', {
      options: { stall_seconds: 2 },
    });
    const dispose = async (): Promise<void> => {
      await world[Symbol.asyncDispose]();
      await many.drop();
      await rm(bin, { recursive: true });
    };
    return { world, tables: many.name, [Symbol.asyncDispose]: dispose };
  }
  const TABLES = Array.from({ length: 40 }, (_, index) => `t${index}`);

  test('for longer than a stall may take is waited for, as long as it counts', async () => {
    await using made = await countingWorld();
    const { world } = made;
    world.proxy.delay(50);
    const begun = performance.now();
    await completedBackup(world.service, 'counting');
    expect(performance.now() - begun).toBeGreaterThan(3_000);
  });

  test('and never answers is given up, retryable; nothing is left, and the next attempt is good', async () => {
    await using made = await countingWorld();
    const { world, tables } = made;
    world.proxy.delay(50);
    const { id } = await askBackup(world.service, 'counting');
    await until('the counting to begin', async () => {
      const { body } = await world.service.request<BackupBody>('GET', `/backups/${id}`);
      return body.progress?.phase === 'counting';
    });
    world.proxy.blackHole();
    const { error } = await troubled(world.service, id);
    expect(error).toMatchObject({ code: 'counting-stalled', retryable: true });
    expect(await filesIn(world.folder)).toEqual([]);
    world.proxy.mend();
    const done = await backupIn(world.service, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', contents: { items: 40, rows: 40 } });
    await untilNoSession(server, tables);
  });
});

describe.concurrent('a server that is lost in the middle of a restore', () => {
  test('says nothing any more: the restore is given up, and its database dropped when it is back', async () => {
    await using world = await World.make({ STALL_SECONDS: '2' });
    const backup = await completedBackup(world.service, 'outage');
    const id = await world.loading(backup);
    world.proxy.blackHole();
    const failed = await restoreIn(world.service, id, 'failed', 'completed');
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'restore-stalled', retryable: true } });
    await world.expectRestorable(id, backup);
  });
});

/** A server of its own, because others use the shared ones, and a service for it. */
async function ownServer(): Promise<AsyncDisposable & { own: OwnServer; world: World }> {
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
  const world = await World.make({}, {}, at);
  return {
    own,
    world,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await own.stop();
    },
  };
}
type OwnServer = Awaited<ReturnType<typeof startLocalPostgres>>;

describe.concurrent('a server that is stopped and started again', () => {
  const WAYS = { 'is stopped': 'SIGINT', crashes: 'SIGQUIT' } as const;
  const codes = expect.stringMatching(/^(connection-lost|server-unreachable)$/) as string;

  test.each(Object.entries(WAYS))('%s in the middle of a dump', async (_, signal) => {
    await using made = await ownServer();
    const { world, own } = made;
    const earlier = await completedBackup(world.service, 'outage');
    const { id } = await world.inTheMiddle();
    await own.halt(signal);
    expect((await troubled(world.service, id)).error).toMatchObject({ code: codes, retryable: true });
    await own.resume();
    await world.expectRecovery(id, earlier);
  });

  test.each(Object.entries(WAYS))('%s in the middle of a restore', async (_, signal) => {
    await using made = await ownServer();
    const { world, own } = made;
    const backup = await completedBackup(world.service, 'outage');
    const id = await world.loading(backup);
    await own.halt(signal);
    const failed = await restoreIn(world.service, id, 'failed', 'completed');
    expect(failed).toMatchObject({ status: 'failed', error: { code: codes, retryable: true } });
    await own.resume();
    await world.expectRestorable(id, backup);
  });
});
