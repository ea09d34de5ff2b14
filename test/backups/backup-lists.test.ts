import { SelectQueryBuilder } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type BackupFilter, type BackupPosition, BackupQueries } from '../../src/backups/backup-queries.ts';
import { BackupStats } from '../../src/backups/backup-stats.ts';
import type { Backup } from '../../src/backups/backup.entity.ts';
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

/** How SQLite goes about a page: the details of its query plan. */
async function planOf(filter: BackupFilter, after?: BackupPosition): Promise<string> {
  const asked = vi.spyOn(SelectQueryBuilder.prototype, 'getMany');
  await queries.page(filter, 50, after);
  const query = asked.mock.contexts[0] as SelectQueryBuilder<Backup>;
  const [sql, parameters] = query.getQueryAndParameters();
  const steps: { detail: string }[] = await room.catalog.read.query(`EXPLAIN QUERY PLAN ${sql}`, parameters);
  return steps.map(({ detail }) => detail).join('\n');
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
  ])('reads $name in the order of an index, and sorts nothing', async ({ filter, after }) => {
    const plan = await planOf(filter, after);
    expect(plan).toMatch(/USING INDEX/);
    expect(plan).not.toMatch(/TEMP B-TREE FOR ORDER BY/);
  });

  test.each([
    ['its name', 'shop', /^SEARCH b USING INDEX ix_backups_name \(database_name=\?\)$/],
    ['its id', '019aa3f0-1111-7000-8000-000000000001', /^SEARCH b USING INDEX ix_backups_database/],
  ])('of one database by %s reads nothing of the others', async (_, database, expected) => {
    const plan = await planOf({ database });
    expect(plan).toMatch(expected);
    expect(plan).not.toMatch(/TEMP B-TREE FOR ORDER BY/);
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
