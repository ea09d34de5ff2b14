import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupLog } from '../../src/backups/backup-log.entity.ts';
import { BackupRemoval } from '../../src/backups/backup-removal.ts';
import { BackupUses } from '../../src/backups/backup-uses.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { toBackupView } from '../../src/backups/backup.view.ts';
import { LogPruner } from '../../src/backups/log-pruner.ts';
import { OrphanSweeper } from '../../src/backups/orphan-sweeper.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import type { Lease } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { LOCAL_DESTINATION } from '../../src/storage/storage-registry.ts';
import { DestinationMarks } from '../../src/storage/destination-marks.ts';
import { catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freshRoom, insertBackup, insertCopy, type Room, storeObject } from './room.ts';

const DAY_MS = 86_400_000;
const tickets = new TicketStore();
let clock: ManualClock;
let room: Room;
beforeEach(async () => {
  clock = new ManualClock();
  room = await freshRoom();
  const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  onTestFinished(() => warned.mockRestore());
});
afterEach(() => room[Symbol.asyncDispose]());

const logsOf = ({ id: backupId }: Backup): Promise<number> =>
  room.catalog.read.countBy(BackupLog, { backupId });
const rowOf = ({ id }: Backup): Promise<Backup> => room.catalog.read.findOneByOrFail(Backup, { id });

async function insertLogged(more: Partial<Backup>): Promise<Backup> {
  const backup = await insertBackup(room, more);
  await room.catalog.write(async (tx) => {
    for (const attempt of [1, 2]) await room.moves.saveLog(tx, backup.id, attempt, 'what a tool printed');
  });
  return backup;
}

describe('removing a backup', () => {
  async function claim(): Promise<Lease> {
    const cap = { total: 9, perLane: 9 };
    const caps = { backup: cap, restore: cap, 'backup-removal': cap, retention: cap, verification: cap };
    const now = clock.now();
    const taken = await room.catalog.write((tx) =>
      tickets.claim(tx, ['backup-removal'], caps, now, new Date(now.getTime() + 30_000)),
    );
    return { ...taken!, signal: new AbortController().signal };
  }

  test('that fails says why and when in its row, until it succeeds; then its logs go too', async () => {
    const queue = new CatalogQueue(room.catalog, clock, readConfig({}), tickets);
    const uses = new BackupUses();
    const removal = new BackupRemoval(room.catalog, clock, queue, room.moves, room.cleaner, uses);
    const backup = await insertLogged({ status: 'completed' });
    const other = await insertLogged({ status: 'completed' });
    const copy = await insertCopy(room, backup, { state: 'stored', destination: 'taken-away' });
    await storeObject(room, copy.key, 'the bytes of a dump');
    await room.catalog.write((tx) => removal.request(tx, backup.id, { force: false }));
    await removal.run(await claim());
    expect(toBackupView(await rowOf(backup), [])).toMatchObject({
      status: 'expiring',
      removal_error: {
        code: 'storage-destination-unknown',
        detail: expect.stringContaining('taken-away'),
        at: clock.now().toISOString(),
      },
    });
    expect(await logsOf(backup)).toBe(2);

    await room.catalog.write((tx) =>
      tx.update(BackupCopy, { id: copy.id }, { destination: LOCAL_DESTINATION }),
    );
    clock.advance(60_000);
    await removal.run(await claim());
    expect(toBackupView(await rowOf(backup), [])).toMatchObject({ status: 'expired', removal_error: null });
    expect([await logsOf(backup), await logsOf(other)]).toEqual([0, 2]);
  });
});

test('what the tools printed for nothing is forgotten after a time, and never that of a backup that is there', async () => {
  const pruner = new LogPruner(room.catalog, clock, readConfig({ EVENT_KEEP_DAYS: '30' }), room.moves);
  const ended = { completedAt: clock.now() };
  const gone = [
    await insertLogged({ status: 'failed', ...ended }),
    await insertLogged({ status: 'cancelled', ...ended }),
  ];
  const kept = [
    await insertLogged({ status: 'completed', ...ended }),
    await insertLogged({ status: 'running' }),
    await insertLogged({ status: 'failed', completedAt: new Date(clock.now().getTime() + DAY_MS) }),
  ];
  const left = async (backups: Backup[]): Promise<number[]> => Promise.all(backups.map(logsOf));
  clock.advance(30 * DAY_MS);
  await pruner.prune();
  expect(await left([...gone, ...kept])).toEqual([2, 2, 2, 2, 2]);
  clock.advance(1);
  await pruner.prune();
  expect(await left([...gone, ...kept])).toEqual([0, 0, 2, 2, 2]);
});

test('a late object is removed although another one cannot be looked for', async () => {
  const shared = catalogKinds().find(({ kind }) => kind === 'postgres');
  if (shared === undefined) throw new Error('several services work on one catalog only in PostgreSQL');
  await using place = await shared.fresh();
  await using several = await freshRoom(place.location);
  const createdAt = clock.now();
  const backup = await insertBackup(several, { status: 'failed' });
  const copies = [
    await insertCopy(several, backup, { state: 'discarded', createdAt, destination: 'taken-away' }),
    await insertCopy(several, backup, { state: 'discarded', createdAt, attempt: 2 }),
    await insertCopy(several, backup, { state: 'discarded', createdAt, attempt: 3, destination: 'gone' }),
  ];
  await storeObject(several, copies[1]!.key, 'stored too late');
  const { catalog, storages, cleaner } = several;
  await new OrphanSweeper(catalog, storages, cleaner, clock, new DestinationMarks(catalog)).sweep();
  expect(await several.storage.stat(copies[1]!.key)).toBeUndefined();
});
