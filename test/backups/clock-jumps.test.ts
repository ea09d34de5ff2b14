import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { archiveNames } from '../../src/archive/archive-format.ts';
import { movedEvent } from '../../src/backups/backup-events.ts';
import { BackupOutcomes } from '../../src/backups/backup-outcomes.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { toBackupView } from '../../src/backups/backup.view.ts';
import { BackupTimeoutError } from '../../src/backups/backups.errors.ts';
import { CopyReservations } from '../../src/backups/copy-reservations.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import type { Lease } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { LOCAL_DESTINATION } from '../../src/storage/storage-registry.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freshRoom, insertBackup, insertCopy, type Room, storeObject } from './room.ts';

const HOUR_MS = 3_600_000;
const NINE = new Date('2026-11-21T09:00:00Z');
const TEN = new Date('2026-11-21T10:00:00Z');

let room: Room;
let clock: ManualClock;
beforeEach(async () => {
  room = await freshRoom();
  clock = new ManualClock(TEN);
});
afterEach(() => room[Symbol.asyncDispose]());

describe('how long an attempt took, when the clock was set meanwhile', () => {
  test.each([
    ['an hour back', NINE, 0],
    ['an hour forward', new Date(TEN.getTime() + HOUR_MS), 3607],
    ['not at all', TEN, 7],
  ])('%s: what the two times say, and never less than nothing', async (_, setTo, seconds) => {
    const config = readConfig({});
    const tickets = new TicketStore();
    const queue = new CatalogQueue(room.catalog, clock, config, tickets);
    const outcomes = new BackupOutcomes(room.catalog, queue, clock, config, room.moves, room.cleaner);
    const last = config.backupMaxAttempts;
    const { id } = await insertBackup(room, { status: 'queued', attempt: last - 1 });
    const read = (): Promise<Backup> => room.catalog.read.findOneByOrFail(Backup, { id });
    const lease = await leaseOn(id, tickets);
    await outcomes.started(await read(), last, lease);
    clock.setWallTo(setTo);
    clock.advance(7000);
    await outcomes.failed(await read(), new BackupTimeoutError(1), '', lease);
    const ended = await read();
    expect([ended.status, ended.startedAt]).toEqual(['failed', TEN]);
    expect(ended.completedAt).toEqual(clock.now());
    expect(toBackupView(ended, []).duration_seconds).toBe(seconds);
    // What statistics and metrics add up.
    expect(movedEvent(ended).durationMs).toBe(seconds * 1000);
  });

  async function leaseOn(subjectId: string, tickets: TicketStore): Promise<Lease> {
    const cap = { total: 1, perLane: 1 };
    const caps = { backup: cap, restore: cap, 'backup-removal': cap, retention: cap, verification: cap };
    const claim = await room.catalog.write(async (tx) => {
      await tickets.insert(tx, { kind: 'backup', subjectId, runAfter: clock.now() });
      return tickets.claim(tx, ['backup'], caps, clock.now(), new Date(clock.now().getTime() + HOUR_MS));
    });
    return { ...claim!, signal: new AbortController().signal };
  }
});

describe('names of archives, when the clock shows the same second again', () => {
  async function reserve(): Promise<string> {
    const backup = await insertBackup(room, { createdAt: clock.now() });
    const at = clock.now();
    const naming = { databaseName: 'shop', at, extension: 'dump', compression: 'zstd' } as const;
    const reservations = new CopyReservations(room.catalog, clock, room.storages);
    const plan = { backup, attempt: backup.attempt, destination: LOCAL_DESTINATION, scope: {} };
    return (await reservations.reserve(plan, (sequence) => archiveNames({ ...naming, sequence }))).dataKey;
  }

  test('back and forward again: each attempt has a name of its own, of the wall time', async () => {
    const names: string[] = [];
    for (const time of [TEN, NINE, TEN, NINE, TEN]) {
      clock.setWallTo(time);
      names.push(await reserve());
    }
    expect(names).toEqual([
      'shop/backup_shop_20261121_100000.dump.zst',
      'shop/backup_shop_20261121_090000.dump.zst',
      'shop/backup_shop_20261121_100000_2.dump.zst',
      'shop/backup_shop_20261121_090000_2.dump.zst',
      'shop/backup_shop_20261121_100000_3.dump.zst',
    ]);
  });

  test('a name whose archive is gone is not given again: the catalog remembers it', async () => {
    const backup = await insertBackup(room, { createdAt: NINE });
    await insertCopy(room, backup, { key: 'shop/backup_shop_20261121_100000.dump.zst', state: 'discarded' });
    expect(await reserve()).toBe('shop/backup_shop_20261121_100000_2.dump.zst');
  });

  test('a file that only the destination knows keeps its name', async () => {
    await storeObject(room, 'shop/backup_shop_20261121_100000.dump.zst', 'of a catalog that is lost');
    expect(await reserve()).toBe('shop/backup_shop_20261121_100000_2.dump.zst');
  });
});
