import { expect, it } from 'vitest';

import { ArchiveMissingError } from '../../src/archive/archive.errors.ts';
import { BackupEvidence } from '../../src/backups/backup-evidence.ts';
import type { Backup } from '../../src/backups/backup.entity.ts';
import { CopyFaults } from '../../src/backups/copy-faults.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { TimeZone } from '../../src/clock/time-zone.ts';
import { blankDatabase } from '../../src/databases/database-edits.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { completePolicy } from '../../src/databases/retention-policy.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { readHistory } from '../../src/retention/retention-history.ts';
import { planRetention } from '../../src/retention/retention-planner.ts';
import { freshRoom, insertBackup, insertCopy, type Room } from '../backups/room.ts';

const clock = new SystemClock();
const NOW = new Date('2026-11-21T12:00:00Z');

async function insertShop({ catalog }: Room): Promise<void> {
  const traits = { defaultPort: 5432 } as Parameters<typeof blankDatabase>[1]['traits'];
  const shop = Object.assign(blankDatabase('d1', { kind: 'postgres', traits }, NOW), { name: 'shop' });
  await catalog.write((tx) => tx.insert(Database, shop));
}

/** A backup of that hour of the day, with one stored copy. */
async function completed(room: Room, hour: number): Promise<Backup> {
  const at = new Date(Date.UTC(2026, 10, 21, hour));
  const times = { createdAt: at, startedAt: at, completedAt: at };
  return insertBackup(room, { databaseId: 'd1', status: 'completed', evidenceLevel: 0, ...times });
}

it('a backup whose only copy was found missing is not good, and pushes no good one out', async () => {
  await using room = await freshRoom();
  await insertShop(room);
  const oldest = await completed(room, 1);
  const good = await completed(room, 2);
  const lost = await completed(room, 3);
  const copy = await insertCopy(room, lost, { state: 'stored' });
  const evidence = new BackupEvidence(new EventLog(room.catalog, clock));
  await new CopyFaults(room.catalog, clock, evidence).note(copy, new ArchiveMissingError(copy.key));

  const history = await readHistory(room.catalog.read, 'd1');
  const goodness = new Map(history.map(({ id, isGood }) => [id, isGood]));
  expect(goodness).toEqual(
    new Map([
      [oldest.id, true],
      [good.id, true],
      [lost.id, false],
    ]),
  );
  const policy = completePolicy({ maxBackups: 1 }, { retentionDays: null, maxBackups: null });
  const decisions = planRetention(policy, history, NOW, TimeZone.of('UTC'));
  const kept = decisions.filter(({ keep }) => keep).map(({ id }) => id);
  // The newest completed one stays too: who looks for it has to find what is wrong with it.
  expect(kept).toEqual([lost.id, good.id]);
  expect(decisions.find(({ id }) => id === good.id)?.reasons).toContain('newest good');
});
