import { basename } from 'node:path';

import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { BackupOutcomes } from '../../src/backups/backup-outcomes.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { BackupTimeoutError } from '../../src/backups/backups.errors.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import { ShuttingDownError } from '../../src/queue/queue.errors.ts';
import type { Lease } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { StorageKeyExistsError, StorageUnavailableError } from '../../src/storage/storage.errors.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  freshRoom,
  insertBackup,
  insertCopy,
  insertDatabase,
  manifestOf,
  type Room,
  storeObject,
} from './room.ts';

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
  await room.catalog.write((tx) =>
    tickets.insert(tx, { kind: 'backup', subjectId: backup.id, runAfter: clock.now() }),
  );
  return claimAgain();
}

/** A registered database; gives its id. */
async function insertShop(): Promise<string> {
  const id = uuidv7();
  const [createdAt, updatedAt] = [clock.now(), clock.now()];
  const shop = {
    name: 'shop',
    engine: 'postgres',
    host: 'db.example.com',
    port: 5432,
    databaseName: 'shop',
  } as const;
  const rest = { parameters: {}, tls: { mode: 'prefer' }, options: {}, retention: {} } as const;
  await room.catalog.write((tx) => tx.insert(Database, { id, ...shop, ...rest, createdAt, updatedAt }));
  return id;
}

/** Claims the ticket that waits. */
async function claimAgain(): Promise<Lease> {
  const caps = { total: 9, perLane: 9 };
  const all = { backup: caps, restore: caps, 'backup-removal': caps, retention: caps, verification: caps };
  const now = clock.now();
  const claim = await room.catalog.write((tx) =>
    tickets.claim(tx, ['backup'], all, now, new Date(now.getTime() + 30_000)),
  );
  return { ...claim!, signal: new AbortController().signal };
}

describe('a completed backup', () => {
  test.each([
    { cleanupOld: null, sweeps: 1 },
    { cleanupOld: true, sweeps: 1 },
    { cleanupOld: false, sweeps: 0 },
  ])('with cleanup_old $cleanupOld asks for $sweeps sweeps of its database, and not before', async (row) => {
    const databaseId = await insertShop();
    const backup = await insertBackup(room, { databaseId, cleanupOld: row.cleanupOld });
    const lease = await leaseOn(backup);
    const copy = await insertCopy(room, backup);
    const asked = (): Promise<number> => room.catalog.read.countBy(Ticket, { kind: 'retention' });
    expect(await asked()).toBe(0);
    const result = { manifest: manifestOf(copy, 'x'), manifestSha256: '0'.repeat(64) };
    await outcomes.completed(backup.id, 1, result, '', lease);
    expect(await asked()).toBe(row.sweeps);
  });

  test('that failed instead asks for none', async () => {
    const databaseId = await insertShop();
    const backup = await insertBackup(room, { databaseId, attempt: 99 });
    await outcomes.failed(backup, new BackupTimeoutError(1), '', await leaseOn(backup));
    expect(await room.catalog.read.countBy(Ticket, { kind: 'retention' })).toBe(0);
  });
});

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

  test('that a stop of the service ended does not count as one', async () => {
    const last = readConfig({}).backupMaxAttempts;
    const backup = await insertBackup(room, { attempt: last });
    const read = (): Promise<Backup> => room.catalog.read.findOneByOrFail(Backup, { id: backup.id });
    const lease = await leaseOn(backup);
    await outcomes.failed(backup, new ShuttingDownError(), '', lease);
    const second = await claimAgain();
    expect(await outcomes.started(await read(), last + 1, second)).toBe(true);
    // One attempt more than allowed, of which one was interrupted.
    await outcomes.failed(await read(), new BackupTimeoutError(1), '', second);
    expect(await read()).toMatchObject({ status: 'failed', attempt: last + 1, interruptedAttempts: 1 });
    const other = await insertBackup(room, { attempt: last + 1, interruptedAttempts: 2 });
    await outcomes.failed(other, new BackupTimeoutError(1), '', await leaseOn(other));
    expect((await room.catalog.read.findOneByOrFail(Backup, { id: other.id })).status).toBe('queued');
    const dead = await insertBackup(room, { attempt: last + 1, interruptedAttempts: 2 });
    expect(await outcomes.requeueAfterDeath(dead, await leaseOn(dead))).toBe(true);
  });

  test('whose worth cannot be told is looked at less and less often, and the row says why', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    const backup = await insertBackup(room);
    const pausesSeconds: number[] = [];
    let lease = await leaseOn(backup);
    for (let turn = 0; turn < 9; turn += 1) {
      await outcomes.unsettled(
        backup,
        new StorageUnavailableError('the folder', 'it is not there', {}),
        lease,
      );
      const { runAfter } = await room.catalog.read.findOneByOrFail(Ticket, { subjectId: backup.id });
      const pauseMs = runAfter.getTime() - clock.now().getTime();
      pausesSeconds.push(pauseMs / 1000);
      clock.advance(pauseMs);
      lease = await claimAgain();
    }
    expect(pausesSeconds).toEqual([15, 30, 60, 120, 240, 480, 900, 900, 900]);
    const row = await room.catalog.read.findOneByOrFail(Backup, { id: backup.id });
    expect(row).toMatchObject({ status: 'running', errorCode: 'storage-unavailable' });
  });

  test('whose worth cannot be told keeps the next backup of its database waiting, which says so', async () => {
    const databaseId = await insertDatabase(room);
    const dead = await insertBackup(room, { databaseId });
    const safety = await insertBackup(room, {
      ...{ databaseId, status: 'queued', trigger: 'pre_restore', attempt: 0 },
    });
    const read = (): Promise<Backup> => room.catalog.read.findOneByOrFail(Backup, { id: safety.id });
    expect(await outcomes.started(safety, 1, await leaseOn(safety))).toBe(false);
    expect(await read()).toMatchObject({
      ...{ status: 'queued', attempt: 0, errorCode: 'backup-already-running' },
      errorDetail: expect.stringContaining(dead.id),
    });
    const { runAfter, leaseToken } = await room.catalog.read.findOneByOrFail(Ticket, {
      subjectId: safety.id,
    });
    expect([runAfter.getTime() - clock.now().getTime(), leaseToken]).toEqual([15_000, null]);
    await room.catalog.write((tx) => tx.update(Backup, { id: dead.id }, { status: 'failed' }));
    clock.advance(15_000);
    expect(await outcomes.started(await read(), 1, await claimAgain())).toBe(true);
    expect(await read()).toMatchObject({ status: 'running', attempt: 1, errorCode: null });
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
