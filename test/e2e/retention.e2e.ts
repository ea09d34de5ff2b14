import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { freshDatabase, newestPostgresServer, type FreshDatabase } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

interface BackupView {
  id: string;
  status: string;
  filename: string;
  keep_reasons: string[];
  removal_note: string | null;
}
interface Cleanup {
  deleted_count: number;
  deleted_files: string[];
  total_size_freed: number;
  retention_days: number | null;
  kept: number;
  pending_count: number;
  dry_run: boolean;
}
interface Preview {
  policy: Record<string, unknown>;
  kept_count: number;
  deleted_count: number;
  backups: { id: string; keep: boolean; reasons: string[] }[];
  simulation: { backups: number; bytes: number }[];
  failing: boolean;
}

const server = newestPostgresServer();
const connection = { engine: 'postgres', host: server.host, port: server.port };
const account = { username: server.username, password: server.password };
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
const DAY_MS = 86_400_000;

describe('retention over HTTP', () => {
  let service: Service;
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase(server, 'retained');
    service = await startService({ env });
    await service.request('POST', '/databases', {
      name: 'shop',
      ...connection,
      ...account,
      database_name: database.name,
    });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  const backUp = async (): Promise<BackupView> => {
    const body = { database_id: 'shop' };
    const answer = await service.request<BackupView>('POST', '/backups?wait=completed', body);
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  };
  const get = async (id: string): Promise<BackupView> =>
    (await service.request<BackupView>('GET', `/backups/${id}`)).body;
  const files = async (): Promise<string[]> => {
    const found = await readdir(join(service.dataDir, 'data/backups/shop'));
    return found.filter((name) => !name.endsWith('.manifest.json'));
  };

  it('previews, tries out, says what it would delete, deletes it, and why the others stay', async () => {
    const made = [await backUp(), await backUp(), await backUp(), await backUp()];
    const [first, second, third, fourth] = made.map(({ id }) => id);
    await service.request('PATCH', `/backups/${first}`, { locked: true });

    const tried = await service.request<Preview>('POST', '/databases/shop/retention', {
      max_backups: 1,
      days: 3,
    });
    expect(tried.status, tried.text).toBe(200);
    expect(tried.body).toMatchObject({ kept_count: 2, deleted_count: 2, failing: false });
    expect(tried.body.policy).toMatchObject({ max_backups: 1, retention_days: null });
    expect(tried.body.backups.map(({ id, keep, reasons }) => [id, keep, ...reasons])).toEqual([
      [fourth, true, 'one of the newest 1', 'newest completed', 'newest stored'],
      [third, false, 'max_backups: 1 newer ones exist'],
      [second, false, 'max_backups: 1 newer ones exist'],
      [first, true, 'locked'],
    ]);
    expect(tried.body.simulation.map(({ backups }) => backups)).toEqual([2, 2, 2]);
    const wrong = await service.request('POST', '/databases/shop/retention', { max_backups: 0 });
    expect(wrong.body).toMatchObject({ status: 400, code: 'retention-invalid' });

    const now = await service.request<Preview>('GET', '/databases/shop/retention');
    expect(now.body).toMatchObject({ kept_count: 4, deleted_count: 0, policy: { retention_days: 30 } });

    await service.request('PATCH', '/databases/shop', { max_backups: 1 });
    const dry = await service.request<Cleanup>('POST', '/backups/cleanup', {
      database_id: 'shop',
      dry_run: true,
    });
    expect(dry.body).toMatchObject({ deleted_count: 2, kept: 2, dry_run: true, retention_days: null });
    expect(await files()).toHaveLength(4);
    const done = await service.request<Cleanup>('POST', '/backups/cleanup', {});
    expect(done.body).toMatchObject({
      deleted_count: 2,
      kept: 2,
      pending_count: 0,
      dry_run: false,
      retention_days: 30,
    });
    expect(done.body.deleted_files.toSorted()).toEqual(
      made
        .slice(1, 3)
        .map(({ filename }) => filename)
        .toSorted(),
    );
    expect(done.body.total_size_freed).toBe(dry.body.total_size_freed);
    expect((await files()).toSorted()).toEqual([made[0]!.filename, made[3]!.filename].toSorted());
    expect((await get(first!)).keep_reasons).toEqual(['locked']);
    expect((await get(fourth!)).keep_reasons).toEqual([
      'one of the newest 1',
      'newest completed',
      'newest stored',
    ]);
    expect((await get(second!)).status).toBe('expired');
    const zero = await service.request('POST', '/backups/cleanup', { retention_days: 0 });
    expect(zero.body).toMatchObject({ status: 400, code: 'retention-invalid' });
  });

  it('a backup with a limit of its own is kept by that, and says so', async () => {
    for (const retentionDays of [0, -1, 1.5, 40_000]) {
      const wrong = await service.request('POST', '/backups', {
        database_id: 'shop',
        retention_days: retentionDays,
      });
      expect(wrong.body, String(retentionDays)).toMatchObject({ status: 400, code: 'retention-invalid' });
    }
    const text = await service.request('POST', '/backups', { database_id: 'shop', cleanup_old: 'yes' });
    expect(text.body).toMatchObject({ status: 400, detail: '/cleanup_old must be a boolean value' });
    const own = { database_id: 'shop', retention_days: 90, cleanup_old: false };
    const asked = await service.request<BackupView>('POST', '/backups?wait=completed', own);
    expect(asked.body).toMatchObject({ status: 'completed', retention_days: 90 });
    await backUp();
    await backUp();
    // The policy keeps one; this one stays, and nothing else of before.
    const kept = await until('the sweep', async () => {
      const found = await get(asked.body.id);
      return found.keep_reasons.length > 0 && found;
    });
    expect(kept.keep_reasons).toEqual(['within its own 90 days']);
    const preview = await service.request<Preview>('GET', '/databases/shop/retention');
    const decision = preview.body.backups.find(({ id }) => id === asked.body.id);
    expect(decision).toMatchObject({ keep: true, reasons: ['within its own 90 days'] });
    const cleanup = await service.request<Cleanup>('POST', '/backups/cleanup', { retention_days: 1 });
    expect(cleanup.body.retention_days).toBe(1);
    expect((await get(asked.body.id)).status).toBe('completed');
    expect((await service.request('DELETE', `/backups/${asked.body.id}`)).status).toBe(200);
  });

  it('sweeps after each backup, and notes an archive that was gone already', async () => {
    const before = await service.request<BackupView[]>('GET', '/backups?database_id=shop&status=completed');
    const unlocked = before.body.find(({ keep_reasons: reasons }) => !reasons.includes('locked'))!;
    await rm(join(service.dataDir, 'data/backups/shop', unlocked.filename));
    const made = await backUp();
    const gone = await until('the sweep', async () => {
      const found = await get(unlocked.id);
      return found.status === 'expired' ? found : undefined;
    });
    expect(gone.removal_note).toMatch(/^Its archive was not at the destination any more: local shop\//);
    expect((await get(made.id)).removal_note).toBeNull();
    expect(await files()).toContain(made.filename);
  });
});

/** Old backups of one database, with an object each, as years would leave them; no server is needed for it. */
async function layDown(dataDir: string, count: number): Promise<{ ids: string[]; databaseId: string }> {
  const folder = join(dataDir, 'data/backups/years');
  await mkdir(folder, { recursive: true });
  const { catalog, close } = await openCatalog(
    { kind: 'sqlite', path: join(dataDir, 'data/backup.db') },
    { entities: [Backup, BackupCopy, Database], migrations: MIGRATIONS },
  );
  const { id: databaseId } = await catalog.read.findOneByOrFail(Database, { name: 'years' });
  const ids: string[] = [];
  await catalog.write(async (tx) => {
    for (let age = 0; age < count; age += 1) {
      const id = uuidv7();
      const createdAt = new Date(Date.now() - age * DAY_MS);
      const filename = `backup_years_${String(age).padStart(4, '0')}.dump`;
      const key = `years/${filename}`;
      await tx.insert(Backup, {
        ...{ id, databaseId, databaseName: 'years', databaseHost: 'db', engine: 'postgres', filename },
        ...{
          status: 'completed',
          trigger: 'manual',
          locked: age % 50 === 49,
          attempt: 1,
          cancelRequested: false,
        },
        ...{ createdAt, startedAt: createdAt, completedAt: createdAt, sizeBytes: 10 },
        evidenceLevel: age === 120 ? 4 : 0,
      });
      const keys = [key, `${key}.manifest.json`];
      await tx.insert(BackupCopy, {
        ...{ id: uuidv7(), backupId: id, attempt: 1, destination: 'local', key, manifestKey: keys[1]!, keys },
        ...{ state: 'stored', createdAt },
      });
      for (const each of keys) await writeFile(join(dataDir, 'data/backups', each), '0123456789');
      ids.push(id);
    }
  });
  await close();
  await writeFile(join(folder, 'backup_years_of_somebody_else.dump'), 'not ours');
  return { ids, databaseId };
}

it('after kill -9 in the middle of a sweep the next one finishes, and nothing else is deleted', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'backstop-retention-'));
  const first = await startService({ env, dataDir });
  const settings = { name: 'years', ...connection, database_name: 'years', retention_days: 30 };
  expect((await first.request('POST', '/databases', settings)).status).toBe(201);
  await first.stop();
  const { ids } = await layDown(dataDir, 300);
  const folder = join(dataDir, 'data/backups/years');
  const left = async (): Promise<number> => (await readdir(folder)).length;

  const second = await startService({ env, dataDir });
  const killed = second.request('POST', '/backups/cleanup', {}).catch(() => undefined);
  await until('the sweep to be in its middle', async () => (await left()) < 560);
  await second.stop('SIGKILL');
  await killed;
  const leftByDead = await left();
  expect(leftByDead).toBeGreaterThan(80);

  await using third = await startService({ env, dataDir });
  await third.request<Cleanup>('POST', '/backups/cleanup', {});
  const expected = ids.filter((_, age) => age <= 30 || age === 120 || age % 50 === 49);
  const list = async (status: string): Promise<string[]> => {
    const answer = await third.request<BackupView[]>('GET', `/backups?status=${status}&limit=500`);
    return answer.body.map(({ id }) => id);
  };
  await until('the end of all removals', async () => (await list('expiring')).length === 0, 300_000);
  const kept = await list('completed');
  // Today's, thirty days, one that is proven, and the locked ones. (30 days ago to the millisecond is older by now.)
  expect(kept.toSorted()).toEqual(expected.filter((id) => id !== ids[30]).toSorted());
  expect(await list('expired')).toHaveLength(ids.length - kept.length);
  const files = await readdir(folder);
  expect(files).toContain('backup_years_of_somebody_else.dump');
  expect(files).toHaveLength(2 * kept.length + 1);
  await third.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 480_000);
