import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';

import { type FreshDatabase, freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { completedRestore, dropDatabasesLike } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, backupIn, completedBackup, register } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { Disk, PAGE } from './disk.ts';
import { askBackup, BULK, childrenOf, filesIn, filesOf, folderWithPgDump, troubled } from './outage-world.ts';

const run = promisify(execFile);
const server = newestPostgresServer();
const env = {
  PG_BIN_DIRS: server.clientBinDirs.join(':'),
  RETRY_BACKOFF_SECONDS: '1',
  BACKUP_MAX_ATTEMPTS: '20',
};
const MIB = 1024 * 1024;

let database: FreshDatabase;

beforeAll(async () => {
  database = await freshDatabase(server, 'disk');
  await sql(server, database.name, BULK);
});
afterAll(async () => {
  await dropDatabasesLike(server, database.name);
});

function needsRoot(context: TestContext): void {
  context.skip(process.getuid?.() !== 0, 'file systems can be mounted by root only');
}

interface World extends AsyncDisposable {
  disk: Disk;
  service: Service;
  /** Another service goes on with the folder of a dead one. */
  restart(): Promise<Service>;
}

async function makeWorld(
  bytes: number,
  more: Record<string, string> = {},
  placeOf = (disk: Disk): Record<string, string> => ({ BACKUP_DIR: disk.path }),
): Promise<World> {
  const stack = new AsyncDisposableStack();
  const disk = stack.use(await Disk.mount(bytes));
  const dataDir = await mkdtemp(join(tmpdir(), 'backstop-outage-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const place = placeOf(disk);
  const start = async (): Promise<Service> =>
    stack.use(
      await startService({ env: { ...env, SHUTDOWN_GRACE_SECONDS: '0', ...place, ...more }, dataDir }),
    );
  const service = await start();
  await register(service, server, database.name, 'disk', { options: { compression: 'none' } });
  return { disk, service, restart: start, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Its answer is kept for a second. */
async function untilReady(service: Service): Promise<void> {
  await until(
    'the service to be ready',
    async () => (await service.request('GET', '/health/ready')).status === 200,
  );
}

const ours = (name: string): boolean => name !== '.filler';

/** Only whole backups can be seen, the earlier one restores, and the service lives. */
async function expectUnharmed({ disk, service }: World, earlier: BackupBody): Promise<void> {
  expect((await filesIn(disk.path)).filter(ours)).toEqual(filesOf(earlier));
  await completedRestore(service, earlier.id);
  expect((await service.request('GET', '/health/live')).status).toBe(200);
}

async function expectRecovery({ disk, service }: World, id: string, earlier: BackupBody): Promise<void> {
  const done = await backupIn(service, id, 'completed', 'failed');
  expect(done).toMatchObject({ status: 'completed', error: null });
  expect(done.attempt).toBeGreaterThan(1);
  expect((await filesIn(disk.path)).filter(ours)).toEqual(filesOf(earlier, done));
  expect(await childrenOf(service)).toEqual([]);
}

describe.concurrent('a disk that is full', () => {
  const PLACES = [
    ...['first', 'second', 'third'].map((turn) => ({
      place: `at a random byte of the archive, the ${turn} time`,
      roomIn: ({ size_bytes: size }: BackupBody) => Math.floor(Math.random() * size),
    })),
    {
      place: 'at the manifest, behind a whole archive',
      // Room for the archive, and for less than the page of a manifest.
      roomIn: ({ size_bytes: size }: BackupBody) => Math.ceil(size / PAGE) * PAGE,
    },
  ];

  describe('under the archives', { concurrent: false }, () => {
    let world: World;
    let earlier: BackupBody;
    beforeAll(async () => {
      if (process.getuid?.() !== 0) return;
      world = await makeWorld(40 * MIB);
      earlier = await completedBackup(world.service, 'disk');
    });
    afterAll(async () => {
      await world?.[Symbol.asyncDispose]();
    });

    test.for(PLACES)('$place', async ({ roomIn }, context) => {
      needsRoot(context);
      const { disk, service } = world;
      await disk.fillBut(roomIn(earlier));
      const { id } = await askBackup(service, 'disk');
      expect((await troubled(service, id)).error).toMatchObject({ code: 'storage-full', retryable: true });
      await expectUnharmed(world, earlier);
      await disk.empty();
      await expectRecovery(world, id, earlier);
      await service.request('DELETE', `/backups/${id}?force=true`);
      await backupIn(service, id, 'expired');
    });
  });

  test('under the catalog: answers say so, nothing that was told is lost, and it goes on when there is room', async (context) => {
    needsRoot(context);
    const onDisk = ({ path }: Disk) => ({ DATABASE_PATH: join(path, 'backup.db') });
    await using world = await makeWorld(16 * MIB, {}, onDisk);
    const { disk, service } = world;
    const earlier = await completedBackup(service, 'disk');
    await disk.fillBut(Math.floor(Math.random() * 16) * PAGE);
    const refused = await until('a request to be refused', async () => {
      const answer = await service.request<{ code?: string }>('POST', '/backups', { database_id: 'disk' });
      return answer.status >= 500 && answer;
    });
    expect(refused.body).toMatchObject({ status: 503, code: 'catalog-full', retryable: true });
    expect((await service.request('GET', '/health/live')).status).toBe(200);
    // Readiness writes one row, for which there may be room in the log of the catalog where there is none for a backup's rows.
    expect([200, 503]).toContain((await service.request('GET', '/health/ready')).status);
    // Why it is kept is looked at after every backup, and may have been written since.
    const unchanged = { ...earlier, keep_reasons: expect.any(Array) as string[] };
    expect((await service.request('GET', `/backups/${earlier.id}`)).body).toEqual(unchanged);
    await disk.empty();
    await until(
      'the service to be ready',
      async () => (await service.request('GET', '/health/ready')).status === 200,
    );
    await until('the earlier requests to end', async () => {
      const { body } = await service.request<BackupBody[]>('GET', '/backups?status=queued&status=running');
      return body.length === 0;
    });
    const { id } = await completedBackup(service, 'disk');
    await service.stop('SIGKILL');
    const after = await world.restart();
    for (const known of [earlier.id, id]) await backupIn(after, known, 'completed');
  });
});

describe.concurrent('a backup folder that goes away', () => {
  /** A dump that stands still in its middle until a file is there. */
  async function slowTool(): Promise<AsyncDisposable & { bin: string; goOn(): Promise<void> }> {
    const real = join(server.clientBinDirs.at(-1)!, 'pg_dump');
    const bin = await folderWithPgDump(
      `go="$(dirname "$0")/go"; [ -e "$go" ] && exec ${real} "$@"
       ${real} "$@" | cat > "$go.dump"; head -c 3000000 "$go.dump"
       while [ ! -e "$go" ]; do sleep 0.1; done; tail -c +3000001 "$go.dump"`,
    );
    return {
      bin,
      goOn: async () => void (await run('touch', [join(bin, 'go')])),
      [Symbol.asyncDispose]: () => rm(bin, { recursive: true }),
    };
  }

  test('between two backups: nothing is taken for lost, deleted or written below, and all is well when it is back', async (context) => {
    needsRoot(context);
    await using world = await makeWorld(40 * MIB);
    const { disk, service } = world;
    const earlier = await completedBackup(service, 'disk');
    await disk.unmount();

    const { id } = await askBackup(service, 'disk');
    expect((await troubled(service, id)).error).toMatchObject({
      code: 'storage-unavailable',
      retryable: true,
    });
    const asked = await service.request(`POST`, `/backups/${earlier.id}/restore`, {});
    expect(asked).toMatchObject({ status: 503, body: { code: 'storage-unavailable' } });
    const download = await service.request('GET', `/backups/${earlier.id}/download`);
    expect(download).toMatchObject({
      status: 503,
      body: { code: 'storage-unavailable', detail: expect.stringContaining('Mount it') },
    });
    const ready = await service.request('GET', '/health/ready');
    expect(ready).toMatchObject({ status: 503, body: { facts: { destination: { status: 'down' } } } });
    const removal = await service.request<BackupBody>('DELETE', `/backups/${earlier.id}?force=true`);
    expect(removal.body.status).toBe('expiring');
    expect(await readdir(disk.path)).toEqual([]);

    await disk.mountAgain();
    const done = await backupIn(service, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', error: null });
    await untilReady(service);
  });

  test('in the middle of a dump', async (context) => {
    needsRoot(context);
    await using tool = await slowTool();
    await tool.goOn();
    await using world = await makeWorld(40 * MIB, { PG_BIN_DIRS: tool.bin });
    const { disk, service } = world;
    const earlier = await completedBackup(service, 'disk');
    await rm(join(tool.bin, 'go'));
    const { id } = await askBackup(service, 'disk');
    await until('the dump to be stored', async () =>
      (await filesIn(disk.path)).some((name) => name.endsWith('.partial')),
    );
    await disk.unmount();
    await tool.goOn();
    expect((await troubled(service, id)).error).not.toBeNull();
    expect(await readdir(disk.path)).toEqual([]);
    await disk.mountAgain();
    await expectRecovery(world, id, earlier);
    await untilReady(service);
  });

  test('before the start: the service starts, says that it is not ready, touches nothing, and is ready when it is there', async (context) => {
    needsRoot(context);
    await using world = await makeWorld(40 * MIB);
    const { disk, service } = world;
    const earlier = await completedBackup(service, 'disk');
    await service.stop('SIGKILL');
    await disk.unmount();
    const next = await world.restart();
    expect(await next.request('GET', '/health/ready')).toMatchObject({ status: 503 });
    expect(await readdir(disk.path)).toEqual([]);
    const kept = await next.request<BackupBody>('GET', `/backups/${earlier.id}`);
    expect(kept.body).toMatchObject({ status: 'completed', copies: [{ state: 'stored' }] });
    await disk.mountAgain();
    await untilReady(next);
    await completedRestore(next, earlier.id);
    await completedBackup(next, 'disk');
  });

  test('by becoming read-only: said as what it is, earlier backups still restore, and it goes on when it can be written', async (context) => {
    needsRoot(context);
    await using world = await makeWorld(40 * MIB);
    const { disk, service } = world;
    const earlier = await completedBackup(service, 'disk');
    await disk.remount('ro');
    const { id } = await askBackup(service, 'disk');
    const failed = await backupIn(service, id, 'failed', 'completed');
    expect(failed).toMatchObject({
      status: 'failed',
      error: { code: 'storage-not-writable', retryable: false },
    });
    await expectUnharmed(world, earlier);
    expect((await service.request('GET', '/health/ready')).status).toBe(503);
    await disk.remount('rw');
    const done = await completedBackup(service, 'disk');
    expect((await filesIn(disk.path)).filter(ours)).toEqual(filesOf(earlier, done));
  });
});
