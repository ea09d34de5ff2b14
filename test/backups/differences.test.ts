import { expect, test } from 'vitest';

import { BackupEvidence } from '../../src/backups/backup-evidence.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { toBackupView } from '../../src/backups/backup.view.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freshRoom, insertBackup } from './room.ts';

test('a restored copy that differs is seen on its backup until a whole one is equal, and takes no evidence', async () => {
  await using room = await freshRoom();
  const clock = new ManualClock();
  const evidence = new BackupEvidence(new EventLog(room.catalog, clock));
  const { id } = await insertBackup(room, { status: 'completed', evidenceLevel: 3, evidenceAt: clock.now() });
  const read = async () => toBackupView(await room.catalog.read.findOneByOrFail(Backup, { id }), []);

  await room.catalog.write((tx) => evidence.noteDifference(tx, id, 'r1', clock.now()));
  const difference = { restore_id: 'r1', at: clock.now().toISOString() };
  expect(await read()).toMatchObject({ difference, evidence: { name: 'restorable' } });
  expect(await room.catalog.read.find(RecordedEvent)).toMatchObject([
    { name: 'BackupDiffered', subjectId: id, facts: { restore_id: 'r1', evidence: 'restorable' } },
  ]);

  clock.advance(1000);
  // Restored without its definitions being compared: they may be what differed.
  await room.catalog.write((tx) => evidence.record(tx, id, { name: 'restorable', at: clock.now() }));
  expect(await read()).toMatchObject({ difference });
  await room.catalog.write((tx) => evidence.record(tx, id, { name: 'proven', at: clock.now() }));
  expect(await read()).toMatchObject({ difference: null, evidence: { name: 'proven' } });
});
