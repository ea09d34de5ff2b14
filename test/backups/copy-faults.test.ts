import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { ArchiveDamagedError } from '../../src/archive/archive.errors.ts';
import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupEvidence } from '../../src/backups/backup-evidence.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { CopyFaults } from '../../src/backups/copy-faults.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freshRoom, insertBackup, insertCopy, type Room } from './room.ts';

const clock = new ManualClock();
const damage = new ArchiveDamagedError('k', 'stored-sha256', {});
let room: Room;
let faults: CopyFaults;
let backup: Backup;

beforeAll(() => Logger.overrideLogger(false));
beforeEach(async () => {
  room = await freshRoom();
  faults = new CopyFaults(room.catalog, clock, new BackupEvidence(new EventLog(room.catalog, clock)));
  backup = await insertBackup(room, { status: 'completed', evidenceLevel: 0 });
  await insertCopy(room, backup, { state: 'stored' });
});
afterEach(() => room[Symbol.asyncDispose]());

const copyNow = (): Promise<BackupCopy> =>
  room.catalog.read.findOneByOrFail(BackupCopy, { backupId: backup.id });

describe('a fault of a copy', () => {
  test('is over when whoever has seen it reads the copy whole', async () => {
    await faults.note(await copyNow(), damage);
    expect(await copyNow()).toMatchObject({ state: 'damaged', faultCode: 'archive-damaged' });
    await faults.clear(await copyNow());
    expect(await copyNow()).toMatchObject({ state: 'stored', faultAt: null });
    const { evidenceLevel } = await room.catalog.read.findOneByOrFail(Backup, { id: backup.id });
    expect(evidenceLevel).toBe(1);
  });

  test('stays when it was met after the reading of that copy began', async () => {
    await faults.note(await copyNow(), damage);
    const begun = await copyNow();
    clock.advance(60_000);
    await faults.note(await copyNow(), damage);
    await faults.clear(begun);
    expect(await copyNow()).toMatchObject({ state: 'damaged', faultAt: clock.now() });
    const { evidenceLevel } = await room.catalog.read.findOneByOrFail(Backup, { id: backup.id });
    expect(evidenceLevel).toBe(null);
  });
});
