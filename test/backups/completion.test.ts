import { describe, expect, onTestFinished, test } from 'vitest';

import { BackupOutcomes } from '../../src/backups/backup-outcomes.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import type { Lease, WorkKind } from '../../src/queue/queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freshRoom, insertBackup, insertCopy, insertDatabase, storedManifest } from './room.ts';

const tickets = new TicketStore();
const clock = new ManualClock();

async function claim(catalog: Catalog, kind: WorkKind): Promise<Lease | undefined> {
  const cap = { total: 9, perLane: 9 };
  const caps = { backup: cap, restore: cap, 'backup-removal': cap, retention: cap, verification: cap };
  const now = clock.now();
  const taken = await catalog.write((tx) =>
    tickets.claim(tx, [kind], caps, now, new Date(now.getTime() + 30_000)),
  );
  return taken && { ...taken, signal: new AbortController().signal };
}

describe.each(catalogKinds())('a backup that is completed, with the catalog in $name', (kind) => {
  /** Completes one backup after another of one database, each with a sweep of its retention asked for. */
  async function shop() {
    const place = await kind.fresh();
    const room = await freshRoom(place.location);
    onTestFinished(async () => {
      await room[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    });
    const { catalog } = room;
    const databaseId = await insertDatabase(room);
    const config = readConfig({});
    const queue = new CatalogQueue(catalog, clock, config, tickets);
    const outcomes = new BackupOutcomes(catalog, queue, clock, config, room.moves, room.cleaner);
    const complete = async (): Promise<void> => {
      const backup = await insertBackup(room, { databaseId });
      const manifest = storedManifest(await insertCopy(room, backup));
      await catalog.write((tx) =>
        tickets.insert(tx, { kind: 'backup', subjectId: backup.id, runAfter: clock.now() }),
      );
      const lease = (await claim(catalog, 'backup'))!;
      await outcomes.completed(backup.id, backup.attempt, { manifest, manifestSha256: '0' }, '', lease);
    };
    return { catalog, queue, complete };
  }

  test('is recorded although the sweep that the one before has asked for still waits; one sweep is enough', async () => {
    const { catalog, queue, complete } = await shop();
    await complete();
    await complete();
    expect(await catalog.read.countBy(Backup, { status: 'completed' })).toBe(2);
    const sweep = (await claim(catalog, 'retention'))!;
    await catalog.write((tx) => queue.finish(tx, sweep));
    expect(await catalog.read.count(Ticket)).toBe(0);
  });

  test('while its database is being swept is recorded, and swept afterwards: the sweep may have begun before', async () => {
    const { catalog, queue, complete } = await shop();
    await complete();
    const sweep = (await claim(catalog, 'retention'))!;
    await complete();
    await complete();
    expect(await catalog.read.countBy(Backup, { status: 'completed' })).toBe(3);
    // Nobody else sweeps beside it.
    expect(await claim(catalog, 'retention')).toBeUndefined();
    await catalog.write((tx) => queue.finish(tx, sweep));
    const again = (await claim(catalog, 'retention'))!;
    expect(again.subjectId).toBe(sweep.subjectId);
    await catalog.write((tx) => queue.finish(tx, again));
    expect(await catalog.read.count(Ticket)).toBe(0);
  });
});
