import { SqliteQueryRunner } from 'typeorm/driver/sqlite/SqliteQueryRunner.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { BackupLists } from '../../src/backups/backup-lists.ts';
import { RunningBackups } from '../../src/backups/backup-progress.ts';
import { type BackupFilter, type BackupPosition, BackupQueries } from '../../src/backups/backup-queries.ts';
import { BACKUP_STATUSES, type BackupStatus } from '../../src/backups/backup-states.ts';
import { BackupStats } from '../../src/backups/backup-stats.ts';
import { BackupViews } from '../../src/backups/backup-views.ts';
import type { Backup } from '../../src/backups/backup.entity.ts';
import { BackupListDto } from '../../src/backups/dto/backup-list.dto.ts';
import { ProgressSources } from '../../src/events/progress-sources.ts';
import { catalogKinds } from '../catalog/places.ts';
import { freshRoom, insertBackup, type Room } from './room.ts';

let room: Room;
let queries: BackupQueries;
beforeEach(async () => {
  room = await freshRoom();
  queries = new BackupQueries(room.catalog);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await room[Symbol.asyncDispose]();
});

function positionOf({ createdAt, id }: Backup): BackupPosition {
  return { createdAt: createdAt.toISOString(), id };
}

/** One in each state, each made a second after the one before. */
async function madeInEachState(): Promise<Backup[]> {
  const made: Backup[] = [];
  for (const [second, status] of BACKUP_STATUSES.entries()) {
    made.push(await insertBackup(room, { status, createdAt: new Date(second * 1000) }));
  }
  return made;
}

/** How SQLite goes about what is asked: the details of its query plan. */
async function planOf(asking: () => Promise<unknown>): Promise<string> {
  const asked = vi.spyOn(SqliteQueryRunner.prototype, 'query');
  await asking();
  const [[sql, parameters] = ['']] = asked.mock.calls;
  const steps: { detail: string }[] = await room.catalog.read.query(`EXPLAIN QUERY PLAN ${sql}`, parameters);
  return steps.map(({ detail }) => detail).join('\n');
}

function planOfPage(filter: BackupFilter, after?: BackupPosition): Promise<string> {
  return planOf(() => queries.page(filter, 50, after));
}

describe('the list of backups', () => {
  test('goes through all pages newest first, also where many were made in one moment', async () => {
    const made: Backup[] = [];
    for (const second of [1, 1, 1, 1, 2]) {
      const createdAt = new Date(second * 1000);
      made.push(await insertBackup(room, { status: 'completed', createdAt }));
    }
    const hidden = await insertBackup(room, { status: 'expired', createdAt: new Date(1000) });
    const found: Backup[] = [];
    for (;;) {
      const last = found.at(-1);
      const page = await queries.page({}, 2, last && positionOf(last));
      if (page.length === 0) break;
      found.push(...page);
    }
    expect(found.map(({ id }) => id)).toEqual(made.toReversed().map(({ id }) => id));
    expect((await queries.page({ status: ['expired'] }, 2)).map(({ id }) => id)).toEqual([hidden.id]);
  });

  test.each<{ name: string; filter: BackupFilter; after?: BackupPosition }>([
    { name: 'the first page', filter: {} },
    {
      name: 'a later page',
      filter: {},
      after: { createdAt: '2026-11-21T03:00:00.000Z', id: '019aa3f0-1111-7000-8000-000000000001' },
    },
    { name: 'one state', filter: { status: ['completed'] } },
    { name: 'several states that most are in', filter: { status: ['completed', 'failed', 'cancelled'] } },
    { name: 'one trigger', filter: { trigger: 'pre_restore' } },
    { name: 'an evidence', filter: { minEvidence: 4 } },
    { name: 'a part of a name', filter: { text: 'release' } },
  ])('reads $name in the order of an index, and sorts nothing', async ({ filter, after }) => {
    const plan = await planOfPage(filter, after);
    expect(plan).toMatch(/USING INDEX/);
    expect(plan).not.toMatch(/TEMP B-TREE FOR ORDER BY/);
  });

  test.each<{ name: string; filter: BackupFilter }>([
    { name: 'one trigger', filter: { trigger: 'pre_restore' } },
    { name: 'an evidence', filter: { minEvidence: 4 } },
    { name: 'several states that most are in', filter: { status: ['completed', 'failed', 'cancelled'] } },
    { name: 'the name of a database and a trigger', filter: { database: 'shop', trigger: 'manual' } },
    { name: 'the id of a database', filter: { database: '019aa3f0-1111-7000-8000-000000000001' } },
    { name: 'a time', filter: { from: new Date('2026-11-01'), to: new Date('2026-11-21') } },
    { name: 'all of them', filter: { trigger: 'manual', minEvidence: 0, status: ['completed', 'expired'] } },
  ])('counts by $name in an index, and reads no row', async ({ filter }) => {
    expect(await planOf(() => queries.count(filter))).toMatch(/USING COVERING INDEX/);
  });

  test('looks up the few that are under way, and not among all the others', async () => {
    const plan = await planOfPage({ status: ['queued', 'running', 'expiring'] });
    expect(plan).toMatch(/^SEARCH b USING INDEX ix_backups_status \(status=\?\)/);
  });

  test('finds several states at once, newest first, and nothing else', async () => {
    const made = await madeInEachState();
    const newestFirst = made.toReversed();
    for (const status of [
      ['completed', 'failed'],
      ['queued', 'running'],
      ['running', 'expired', 'cancelled'],
      ['failed', 'failed'],
      [...BACKUP_STATUSES],
    ] satisfies BackupStatus[][]) {
      const wanted = newestFirst.filter((backup) => status.includes(backup.status)).map(({ id }) => id);
      expect((await queries.page({ status }, 50)).map(({ id }) => id)).toEqual(wanted);
      expect(await queries.count({ status })).toBe(wanted.length);
    }
  });

  test('does not count what one page holds entirely, and counts all the rest exactly', async () => {
    const sources = new ProgressSources();
    const views = new BackupViews(queries, new RunningBackups(sources));
    const lists = new BackupLists(room.catalog, queries, views);
    const counted = vi.spyOn(queries, 'count');
    const pageOf = (more: object) => lists.page(Object.assign(new BackupListDto(), more));
    for (let number = 0; number < 3; number += 1) await insertBackup(room, { status: 'completed' });
    expect(await pageOf({ trigger: 'scheduled' })).toMatchObject({ total: 0, nextCursor: undefined });
    expect(await pageOf({ limit: 3 })).toMatchObject({ total: 3, nextCursor: undefined });
    expect(counted).not.toHaveBeenCalled();
    const { total, nextCursor } = await pageOf({ limit: 2 });
    expect(total).toBe(3);
    expect(await pageOf({ limit: 2, cursor: nextCursor })).toMatchObject({ total: 3, nextCursor: undefined });
  });

  test.each([
    ['its name', 'shop', /^SEARCH b USING INDEX ix_backups_name \(database_name=\?\)$/],
    ['its id', '019aa3f0-1111-7000-8000-000000000001', /^SEARCH b USING INDEX ix_backups_database/],
  ])('of one database by %s reads nothing of the others', async (_, database, expected) => {
    const plan = await planOfPage({ database });
    expect(plan).toMatch(expected);
    expect(plan).not.toMatch(/TEMP B-TREE FOR ORDER BY/);
  });
});

describe.each(catalogKinds())('words in the list of backups on $name', (kind) => {
  test('are found in names and descriptions, as they stand there and, in Latin letters, in any case', async () => {
    await using place = await kind.fresh();
    await using other = await freshRoom(place.location);
    const described = (description: string) => insertBackup(other, { status: 'completed', description });
    const uber = await described('vor dem ÜBERGANG, 100% sicher');
    const named = await insertBackup(other, {
      status: 'completed',
      filename: 'backup_Shop_20261121_031500.dump.zst',
    });
    const find = async (text: string) =>
      (await new BackupQueries(other.catalog).page({ text }, 50)).map(({ id }) => id);
    for (const text of ['ÜBERGANG', 'Übergang', 'VOR DEM', '100% s'])
      expect(await find(text)).toEqual([uber.id]);
    for (const text of ['backup_shop', 'SHOP_2026', '.dump']) expect(await find(text)).toEqual([named.id]);
    for (const text of ['100_', 'shop%dump', '\\']) expect(await find(text)).toEqual([]);
  });
});

describe('the numbers of the status', () => {
  test('are counted in an index, of one moment', async () => {
    await madeInEachState();
    await insertBackup(room, { status: 'completed' });
    const count = () => new BackupStats(room.catalog).present();
    expect(await count()).toEqual({ completed: 2, running: 1, queued: 1 });
    expect(await planOf(count)).toMatch(/USING COVERING INDEX/);
  });
});

describe('the totals', () => {
  test('are read once until something changes, and are exact then', async () => {
    await insertBackup(room, {
      status: 'completed',
      sizeBytes: 10,
      createdAt: new Date('2026-11-20T00:00:00Z'),
    });
    await insertBackup(room, { status: 'failed', createdAt: new Date('2026-11-19T23:59:59Z') });
    const stats = new BackupStats(room.catalog);
    const asked = vi.spyOn(SqliteQueryRunner.prototype, 'query');
    const first = await stats.all('2026-11-20');
    expect(first).toMatchObject({ total: 2, failed: 1, per_database: [{ database_name: 'shop', total: 2 }] });
    expect(first.per_day).toEqual([{ day: '2026-11-20', completed: 1, failed: 0, size_bytes: 10 }]);
    expect(await stats.all('2026-11-20')).toEqual(first);
    const { per_database: _, per_day: __, ...totals } = first;
    expect(await stats.summary()).toEqual(totals);
    expect(asked).toHaveBeenCalledTimes(2);
    await insertBackup(room, { status: 'queued' });
    expect(await stats.summary()).toEqual({ ...totals, total: 3, queued: 1 });
  });
});

describe('the success rate', () => {
  test('does not count a cancelled backup against us, also not when it is deleted', async () => {
    const error = { errorCode: 'backup-cancelled', errorDetail: 'x', errorRetryable: false };
    await insertBackup(room, { status: 'completed' });
    await insertBackup(room, { status: 'expired' });
    await insertBackup(room, { status: 'cancelled', ...error });
    await insertBackup(room, { status: 'expired', ...error });
    const stats = new BackupStats(room.catalog);
    expect(await stats.summary()).toMatchObject({ total: 4, success_rate: 1 });
    await insertBackup(room, { status: 'expired', ...error, errorCode: 'server-unreachable' });
    expect((await stats.summary()).success_rate).toBeCloseTo(2 / 3);
  });
});
