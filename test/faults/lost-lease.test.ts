import { link, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { PhasePoint } from '../../src/process/phase-points.ts';
import { freshDatabase, type FreshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { askRestore, databasesLike, dropDatabasesLike, restoreIn } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import {
  backupIn,
  type BackupBody,
  completedBackup,
  freshShop,
  holdTable,
  register,
} from '../support/shop.ts';
import { until } from '../support/until.ts';
import { IS_SOAK } from './intensity.ts';
import { aim, reachedPoints, strikeEnv } from './strike.ts';

/**
 * Two services with one catalog in PostgreSQL and one folder of archives. The `frozen` one stands still in the middle of its
 * work, as a machine does that is suspended; its lease runs out and the `other` one takes over. Then it wakes, and does not know.
 */
const server = newestPostgresServer();
const LEASE_SECONDS = 2;
let place: string;
let catalog: FreshDatabase;
let shop: FreshDatabase;
let frozen: Service;
let other: Service | undefined;
let env: Record<string, string>;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'backstop-lease-'));
  catalog = await freshDatabase(server, 'lease');
  shop = await freshShop(server, 'leased');
  const { username, password, host, port } = server;
  env = {
    DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}`,
    PG_BIN_DIRS: server.clientBinDirs.join(':'),
    BACKUP_DIR: join(place, 'backups'),
    BACKSTOP_SECRET_KEY: 'not-a-secret-key-only-for-these-tests-0123456789',
    LEASE_SECONDS: String(LEASE_SECONDS),
  };
  frozen = await startService({ env: { ...env, WORK_DIR: join(place, 'one'), ...strikeEnv(place) } });
  await register(frozen, server, shop.name, 'shop');
});
afterEach(async () => {
  // SIGKILL ends a stopped process as well.
  await frozen.stop('SIGKILL');
  await other?.stop('SIGKILL');
  other = undefined;
  await dropDatabasesLike(server, shop.name);
  await catalog.drop();
  await rm(place, { recursive: true, force: true });
});

/** Stops the first service at a point of the work that is asked of it; the other one is there, but must not be the first. */
async function freezeAt<T>(point: PhasePoint, ask: () => Promise<T>): Promise<T> {
  const { pid } = await startOther();
  process.kill(pid, 'SIGSTOP');
  await aim(place, { point, signal: 'SIGSTOP' });
  const asked = await ask();
  await until(`the service to stand still at ${point}`, async () =>
    (await reachedPoints(place)).includes(point),
  );
  process.kill(pid, 'SIGCONT');
  return asked;
}

async function startOther(): Promise<Service> {
  other = await startService({ env: { ...env, WORK_DIR: join(place, 'two') } });
  return other;
}

function theOther(): Service {
  if (other === undefined) throw new Error('the other service was not started');
  return other;
}

/** The sleeper goes on, and has nothing more to do when it has said that its work is over. */
async function wake(): Promise<void> {
  process.kill(frozen.pid, 'SIGCONT');
  const isOver = (): boolean =>
    frozen.logs().some(({ msg }) => /^(a lost lease is given up|work ended without)/.test(msg));
  await until('the sleeper to give up its work', isOver, 15_000);
}

/** The archives, without the mark of the folder. */
async function files(): Promise<string[]> {
  const names = await readdir(join(place, 'backups', 'shop')).catch((): string[] => []);
  return names.toSorted();
}

describe('a backup whose worker lost its lease', () => {
  const points: { point: PhasePoint; attempt: number; soak?: true }[] = [
    { point: 'backup.claimed', attempt: 1 },
    { point: 'backup.started', attempt: 2, soak: true },
    { point: 'backup.names-reserved', attempt: 2, soak: true },
    { point: 'storage.part-flushed', attempt: 2 },
    { point: 'backup.archive-stored', attempt: 2, soak: true },
    // The manifest was there: the successor has completed this very attempt, and its objects must stay.
    { point: 'backup.manifest-stored', attempt: 1 },
  ];
  test.each(points.filter(({ soak }) => IS_SOAK || !soak))(
    'at $point: its finish changes nothing, and leaves nothing',
    async ({ point, attempt }) => {
      const { body } = await freezeAt(point, () =>
        frozen.request<BackupBody>('POST', '/backups', { database_id: 'shop' }),
      );
      const service = theOther();
      const done = await backupIn(service, body.id, 'completed', 'failed');
      expect(done).toMatchObject({ status: 'completed', attempt });
      await wake();
      // Why it is kept is looked at after every backup, and may be written a moment later.
      const unchanged = { ...done, keep_reasons: expect.any(Array) as string[] };
      expect((await service.request('GET', `/backups/${body.id}`)).body).toEqual(unchanged);
      expect(await files()).toEqual([done.filename, `${done.filename}.manifest.json`]);
    },
  );
});

describe('a restore whose worker lost its lease', () => {
  const points: { point: PhasePoint; soak?: true }[] = [
    { point: 'restore.started', soak: true },
    { point: 'restore.fresh-announced' },
    { point: 'restore.loaded', soak: true },
    { point: 'restore.placing-announced' },
  ];
  test.each(points.filter(({ soak }) => IS_SOAK || !soak))(
    'at $point: its finish changes nothing, and leaves no database',
    async ({ point }) => {
      const backup = await completedBackup(frozen, 'shop');
      const { body } = await freezeAt(point, () => askRestore(frozen, backup.id));
      const service = theOther();
      const done = await restoreIn(service, body.id, 'completed', 'failed');
      expect(done).toMatchObject({ status: 'completed', attempt: 2 });
      await wake();
      expect((await service.request('GET', `/restores/${body.id}`)).body).toEqual(done);
      expect(await databasesLike(server, shop.name)).toEqual(
        [shop.name, done.target.database_name].toSorted(),
      );
    },
  );
});

test('a worker that dies after it has published for a lost lease leaves what the next sweep removes', async () => {
  const { body } = await freezeAt('storage.part-flushed', () =>
    frozen.request<BackupBody>('POST', '/backups', { database_id: 'shop' }),
  );
  // Whoever takes over removes the part as well; a network's file system may show that to the sleeper too late.
  const shelf = join(place, 'backups', 'shop');
  const part = (await readdir(shelf)).find((name) => name.endsWith('.partial'))!;
  await link(join(shelf, part), join(place, part));
  const done = await backupIn(theOther(), body.id, 'completed');
  expect(await files()).not.toContain(part);
  await link(join(place, part), join(shelf, part));
  await aim(place, { point: 'storage.object-visible', signal: 'SIGKILL' });
  process.kill(frozen.pid, 'SIGCONT');
  expect(await frozen.ended).toMatchObject({ signal: 'SIGKILL' });
  const late = (await files()).filter((name) => !name.startsWith('.'));
  expect(late, 'what was published too late, beside the good backup').toHaveLength(3);
  await other?.stop();
  await startOther();
  await until('the sweep to remove it', async () => (await files()).length === 2);
  expect(await files()).toEqual([done.filename, `${done.filename}.manifest.json`]);
});

test('work that another service does is cancelled through the catalog, within five seconds', async () => {
  const release = await holdTable(server, shop.name, 'orders');
  const { body } = await frozen.request<BackupBody>('POST', '/backups', { database_id: 'shop' });
  await backupIn(frozen, body.id, 'running');
  const service = await startOther();
  expect((await service.request('POST', `/backups/${body.id}/cancel`)).status).toBeLessThan(300);
  const ended = await until(
    'the backup to be cancelled',
    async () => {
      const now = await service.request<BackupBody>('GET', `/backups/${body.id}`);
      return now.body.status !== 'running' && now.body;
    },
    5_000,
  );
  expect(ended.status).toBe('cancelled');
  await release();
});
