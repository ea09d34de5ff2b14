import { basename } from 'node:path';

import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { BackupOutcomes } from '../../src/backups/backup-outcomes.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { BackupTimeoutError } from '../../src/backups/backups.errors.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import type { Lease } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { StorageKeyExistsError } from '../../src/storage/storage.errors.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freshRoom, insertBackup, insertCopy, type Room, storeObject } from './room.ts';

const clock = new ManualClock();
const tickets = new TicketStore();
let room: Room;
let outcomes: BackupOutcomes;
beforeEach(async () => {
  room = await freshRoom();
  const config = readConfig({});
  const queue = new CatalogQueue(room.catalog, clock, config, tickets);
  outcomes = new BackupOutcomes(room.catalog, queue, clock, config, room.moves, room.cleaner);
});
afterEach(() => room[Symbol.asyncDispose]());

async function leaseOn(backup: Backup): Promise<Lease> {
  const caps = { total: 1, perLane: 1 };
  const claim = await room.catalog.write(async (tx) => {
    const now = clock.now();
    await tickets.insert(tx, { kind: 'backup', subjectId: backup.id, runAfter: now });
    const all = { backup: caps, restore: caps, 'backup-removal': caps };
    return tickets.claim(tx, ['backup'], all, now, new Date(now.getTime() + 30_000));
  });
  return { ...claim!, signal: new AbortController().signal };
}

describe('a failed attempt', () => {
  test.each([
    { cancelRequested: false, status: 'queued', ticketsLeft: 1 },
    { cancelRequested: true, status: 'cancelled', ticketsLeft: 0 },
  ])(
    'whose error may pass leaves the backup $status when cancelling was asked for: $cancelRequested',
    async ({ cancelRequested, status, ticketsLeft }) => {
      const backup = await insertBackup(room);
      const lease = await leaseOn(backup);
      // The worker read the row before the request came.
      await room.catalog.write((tx) => tx.update(Backup, { id: backup.id }, { cancelRequested }));
      await outcomes.failed(backup, new BackupTimeoutError(1), '', lease);
      const after = await room.catalog.read.findOneByOrFail(Backup, { id: backup.id });
      expect(after.status).toBe(status);
      expect(await room.catalog.read.count(Ticket)).toBe(ticketsLeft);
    },
  );

  test('that was the last one is logged as the failure of the backup, and one before it is not', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    onTestFinished(() => logged.mockRestore());
    const last = readConfig({}).backupMaxAttempts;
    for (const attempt of [last - 1, last]) {
      const backup = await insertBackup(room, { attempt });
      await outcomes.failed(backup, new BackupTimeoutError(1), '', await leaseOn(backup));
      const { status } = await room.catalog.read.findOneByOrFail(Backup, { id: backup.id });
      expect(status).toBe(attempt === last ? 'failed' : 'queued');
      expect(logged.mock.calls).toEqual(
        attempt === last ? [[{ backupId: backup.id, code: 'backup-timeout' }, 'backup failed']] : [],
      );
    }
  });

  test('whose name was taken removes nothing that it has not written: neither that object nor a manifest beside it', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup);
    // Somebody has put an archive set of his own there while the dump ran.
    for (const key of copy.keys) await storeObject(room, key, 'not ours');
    await outcomes.discardAttempt(backup.id, backup.attempt, new StorageKeyExistsError(copy.key));
    expect(await room.files()).toEqual(copy.keys.map((key) => basename(key)).toSorted());
  });

  test('removes what it has written before it met a name that was taken', async () => {
    const backup = await insertBackup(room);
    const copy = await insertCopy(room, backup);
    await storeObject(room, copy.key, 'ours');
    await storeObject(room, copy.manifestKey, 'not ours');
    await outcomes.discardAttempt(backup.id, backup.attempt, new StorageKeyExistsError(copy.manifestKey));
    expect(await room.files()).toEqual([basename(copy.manifestKey)]);
  });
});
