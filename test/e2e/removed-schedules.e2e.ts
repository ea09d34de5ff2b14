import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Backup } from '../../src/backups/backup.entity.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { type Service, startService } from '../support/service.ts';

interface Row {
  id: string;
  status: string;
  keep_reasons: string[];
}
interface ScheduleRow {
  id: string;
  name: string;
  from_environment: boolean;
}
interface Preview {
  schedule_policies: { schedule_id: string; name: string; removed: boolean; policy: object }[];
  backups: { id: string; keep: boolean; reasons: string[] }[];
}

const DAY_MS = 86_400_000;
// Nothing runs by itself; a database without a schedule follows this one.
const env = { BACKUP_ENABLED: 'false', BACKUP_SCHEDULE: '0 3 * * *' };

describe('the backups of a schedule that kept them for ten years', () => {
  let dataDir: string;
  let service: Service;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'backstop-removed-'));
    service = await startService({ env, dataDir });
  });
  afterAll(async () => {
    await service.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const schedulesOf = async (database: string): Promise<ScheduleRow[]> =>
    (await service.request<ScheduleRow[]>('GET', `/schedules?database_id=${database}`)).body;
  const backup = async (id: string): Promise<Row> =>
    (await service.request<Row>('GET', `/backups/${id}`)).body;
  const cleanUp = async (database: string, more = {}): Promise<number> => {
    const answer = await service.request<{ deleted_count: number }>('POST', '/backups/cleanup', {
      database_id: database,
      ...more,
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.body.deleted_count;
  };

  /** Registers a database that keeps its backups for 30 days; its schedule `yearly` keeps its own for ten years. */
  async function register(name: string): Promise<ScheduleRow> {
    const connection = { engine: 'postgres', host: 'db.example.com', database_name: name };
    await service.request('POST', '/databases', { name, ...connection, retention_days: 30 });
    const made = await service.request<ScheduleRow>('POST', '/schedules', {
      ...{ database_id: name, name: 'yearly', cron: '0 3 1 1 *', retention_days: 3650 },
    });
    expect(made.status, made.text).toBe(201);
    return made.body;
  }

  /** Starts the service again, with backups of 40 days, one for each schedule, and one of today. */
  async function ageBackups(name: string, scheduleIds: readonly (string | null)[]): Promise<string[]> {
    await service.stop();
    const location = { kind: 'sqlite', path: join(dataDir, 'data/backup.db') } as const;
    const { catalog, close } = await openCatalog(location, {
      entities: [Backup, Database],
      migrations: MIGRATIONS,
    });
    const { id: databaseId } = await catalog.read.findOneByOrFail(Database, { name });
    const ids: string[] = [];
    for (const [age, scheduleId] of [[0, null] as const, ...scheduleIds.map((id) => [40, id] as const)]) {
      const [id, at] = [uuidv7(), new Date(Date.now() - age * DAY_MS)];
      await catalog.write((tx) =>
        tx.insert(Backup, {
          ...{ id, databaseId, databaseName: name, databaseHost: 'db', engine: 'postgres', scheduleId },
          ...{ status: 'completed', trigger: 'scheduled', locked: false, attempt: 1, cancelRequested: false },
          ...{ createdAt: at, startedAt: at, completedAt: at, sizeBytes: 10, evidenceLevel: 0 },
        }),
      );
      ids.push(id);
    }
    await close();
    service = await startService({ env, dataDir });
    return ids.slice(1);
  }

  it('stand when it is deleted, also beside a new one of its name, and the preview says why', async () => {
    const yearly = await register('deleted');
    const [ofYearly, ofNone] = await ageBackups('deleted', [yearly.id, null]);
    expect((await service.request('DELETE', `/schedules/${yearly.id}`)).status).toBe(204);
    const anew = await service.request<ScheduleRow>('POST', '/schedules', {
      ...{ database_id: 'deleted', name: 'yearly', cron: '0 3 1 1 *', retention_days: 1 },
    });
    expect(anew.status, anew.text).toBe(201);

    const preview = await service.request<Preview>('GET', '/databases/deleted/retention');
    expect(preview.body.schedule_policies).toEqual([
      expect.objectContaining({ schedule_id: anew.body.id, name: 'yearly', removed: false }),
      expect.objectContaining({
        ...{ schedule_id: yearly.id, name: 'yearly', removed: true },
        policy: expect.objectContaining({ retention_days: 3650 }),
      }),
    ]);
    const decided = preview.body.backups.find(({ id }) => id === ofYearly);
    expect(decided).toMatchObject({ keep: true, reasons: ['within 3650 days'] });

    expect(await cleanUp('deleted')).toBe(1);
    expect((await backup(ofNone!)).status).toBe('expired');
    expect(await backup(ofYearly!)).toMatchObject({
      status: 'completed',
      keep_reasons: ['within 3650 days'],
    });

    // Who no longer wants them says so.
    expect(await cleanUp('deleted', { retention_days: 30 })).toBe(1);
    // The next removal forgets what no backup needs any more.
    await service.request('DELETE', `/schedules/${anew.body.id}`);
    const later = await service.request<Preview>('GET', '/databases/deleted/retention');
    expect(later.body.schedule_policies.map(({ schedule_id: id }) => id)).toEqual([anew.body.id]);
  });

  it('stand when its database takes it away', async () => {
    await register('patched');
    await service.request('PATCH', '/databases/patched', { schedule: '0 4 * * *' });
    const own = (await schedulesOf('patched')).find(({ name }) => name === 'default')!;
    await service.request('PATCH', `/schedules/${own.id}`, { retention_days: 3650 });
    const [kept] = await ageBackups('patched', [own.id, null]);
    const taken = await service.request('PATCH', '/databases/patched', { schedule: null });
    expect(taken.status, taken.text).toBe(200);
    expect((await schedulesOf('patched')).map(({ id }) => id)).not.toContain(own.id);
    expect(await cleanUp('patched')).toBe(1);
    expect((await backup(kept!)).status).toBe('completed');
  });

  it('stand when it followed the service and gives way to a schedule of the database', async () => {
    const connection = { engine: 'postgres', host: 'db.example.com', database_name: 'led' };
    await service.request('POST', '/databases', { name: 'led', ...connection, retention_days: 30 });
    const [follower] = await schedulesOf('led');
    expect(follower).toMatchObject({ name: 'default', from_environment: true });
    await service.request('PATCH', `/schedules/${follower!.id}`, { retention_days: 3650 });
    const [kept] = await ageBackups('led', [follower!.id, null]);
    const other = { database_id: 'led', name: 'nightly', cron: '0 2 * * *' };
    expect((await service.request('POST', '/schedules', other)).status).toBe(201);
    expect((await schedulesOf('led')).map(({ name }) => name)).toEqual(['nightly']);
    expect(await cleanUp('led')).toBe(1);
    expect((await backup(kept!)).status).toBe('completed');
  });
});
