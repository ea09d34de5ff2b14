import { link, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { PhasePoint } from '../../src/process/phase-points.ts';
import { freshDatabase, type FreshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
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
import { IS_SOAK, PROMPT_MS } from './intensity.ts';
import { aim, standsStillAt, strikeEnv } from './strike.ts';

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
let other: Service;
/** How many lines the sleeper had logged when it was aimed at. */
let seenLines = 0;
let env: Record<string, string>;

beforeAll(async () => {
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
  other = await startOther();
  await register(frozen, server, shop.name, 'shop');
});
/** The same two services go through all of it, as they would. */
afterEach(async () => {
  const { body } = await other.request<BackupBody[]>('GET', '/backups?limit=200');
  for (const { id } of body) await other.request('DELETE', `/backups/${id}?force=true`);
  await until('the archives to be removed', async () => (await files()).length === 0);
  for (const name of await databasesLike(server, shop.name)) {
    if (name !== shop.name) await sql(server, 'postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
  }
});
afterAll(async () => {
  // SIGKILL ends a stopped process as well.
  await frozen?.stop('SIGKILL');
  await other?.stop('SIGKILL');
  await dropDatabasesLike(server, shop.name);
  await catalog.drop();
  await rm(place, { recursive: true, force: true });
});

function startOther(): Promise<Service> {
  return startService({ env: { ...env, WORK_DIR: join(place, 'two') } });
}

/** Asks the one for work while the other cannot take it. */
async function askTheOne<T>(ask: () => Promise<T>, untilThere: () => Promise<void>): Promise<T> {
  // One that stood still in the middle of a write would hold the catalog.
  await until('nothing to be done', async () => (await sql(server, catalog.name, TICKETS)).length === 0);
  process.kill(other.pid, 'SIGSTOP');
  try {
    const asked = await ask();
    await untilThere();
    return asked;
  } finally {
    process.kill(other.pid, 'SIGCONT');
  }
}
const TICKETS = 'SELECT id FROM tickets';

/** Stops the first service at a point of the work that is asked of it. */
async function freezeAt<T>(point: PhasePoint, ask: () => Promise<T>): Promise<T> {
  const aimAndAsk = async (): Promise<T> => {
    await aim(place, { point, signal: 'SIGSTOP' });
    seenLines = frozen.logs().length;
    return ask();
  };
  return askTheOne(aimAndAsk, () => standsStillAt(point, { pid: frozen.pid, folder: place }));
}

/** The sleeper goes on, and has nothing more to do when it has said that its work is over. */
async function wake(): Promise<void> {
  process.kill(frozen.pid, 'SIGCONT');
  const said = (): string[] =>
    frozen
      .logs()
      .slice(seenLines)
      .map(({ msg }) => msg);
  const isOver = (): boolean =>
    said().some((msg) => /^(a lost lease is given up|work ended without)/.test(msg));
  await until('the sleeper to give up its work', isOver);
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
      const done = await backupIn(other, body.id, 'completed', 'failed');
      expect(done).toMatchObject({ status: 'completed', attempt });
      await wake();
      // Why it is kept is looked at after every backup, and may be written a moment later.
      const unchanged = { ...done, keep_reasons: expect.any(Array) as string[] };
      expect((await other.request('GET', `/backups/${body.id}`)).body).toEqual(unchanged);
      expect(await files()).toEqual([done.filename, `${done.filename}.manifest.json`]);
    },
  );
});

describe('a restore whose worker lost its lease', () => {
  const points: { point: PhasePoint; soak?: true }[] = [
    { point: 'restore.started', soak: true },
    { point: 'restore.fresh-announced' },
    { point: 'restore.loaded', soak: true },
    // Its next step is to announce the new names, before it can notice that it is not its restore any more.
    { point: 'restore.compared' },
    { point: 'restore.placing-announced' },
  ];
  test.each(points.filter(({ soak }) => IS_SOAK || !soak))(
    'at $point: its finish changes nothing, and leaves no database',
    async ({ point }) => {
      const backup = await completedBackup(frozen, 'shop');
      const { body } = await freezeAt(point, () => askRestore(frozen, backup.id));
      const done = await restoreIn(other, body.id, 'completed', 'failed');
      expect(done).toMatchObject({ status: 'completed', attempt: 2 });
      await wake();
      expect((await other.request('GET', `/restores/${body.id}`)).body).toEqual(done);
      expect(await databasesLike(server, shop.name)).toEqual(
        [shop.name, done.target.database_name].toSorted(),
      );
    },
  );
});

test('work that another service does is cancelled through the catalog, soon', async () => {
  const release = await holdTable(server, shop.name, 'orders');
  const { body } = await askTheOne(
    () => frozen.request<BackupBody>('POST', '/backups', { database_id: 'shop' }),
    async () => void (await until('the backup to run', () => isRunning(frozen))),
  );
  expect((await other.request('POST', `/backups/${body.id}/cancel`)).status).toBeLessThan(300);
  const ended = await until(
    'the backup to be cancelled',
    async () => {
      const now = await other.request<BackupBody>('GET', `/backups/${body.id}`);
      return now.body.status !== 'running' && now.body;
    },
    PROMPT_MS,
  );
  expect(ended.status).toBe('cancelled');
  await release();
});

async function isRunning(service: Service): Promise<boolean> {
  return (await service.request<BackupBody[]>('GET', '/backups?status=running')).body.length > 0;
}

/** The last one, because the first service does not come back. */
test('a worker that dies after it has published for a lost lease leaves what the next sweep removes', async () => {
  const { body } = await freezeAt('storage.part-flushed', () =>
    frozen.request<BackupBody>('POST', '/backups', { database_id: 'shop' }),
  );
  // Whoever takes over removes the part as well; a network's file system may show that to the sleeper too late.
  const shelf = join(place, 'backups', 'shop');
  const part = (await readdir(shelf)).find((name) => name.endsWith('.partial'))!;
  await link(join(shelf, part), join(place, part));
  const done = await backupIn(other, body.id, 'completed');
  expect(await files()).not.toContain(part);
  await link(join(place, part), join(shelf, part));
  await aim(place, { point: 'storage.object-visible', signal: 'SIGKILL' });
  process.kill(frozen.pid, 'SIGCONT');
  expect(await frozen.ended).toMatchObject({ signal: 'SIGKILL' });
  const late = (await files()).filter((name) => !name.startsWith('.'));
  expect(late, 'what was published too late, beside the good backup').toHaveLength(3);
  await other.stop();
  other = await startOther();
  await until('the sweep to remove it', async () => (await files()).length === 2);
  expect(await files()).toEqual([done.filename, `${done.filename}.manifest.json`]);
});
