import { describe, expect, it } from 'vitest';

import type { Catalog } from '../../src/catalog/catalog.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { NO_ORIGIN } from '../../src/idempotency/make-once.ts';
import { updateSchedule } from '../../src/scheduler/schedule-rows.ts';
import { Schedule } from '../../src/scheduler/schedule.entity.ts';
import type { SchedulesService } from '../../src/scheduler/schedules.service.ts';
import { type CatalogKind, catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { emptyCatalog, insertDatabase, schedulerOn } from './room.ts';

const DAY_MS = 24 * 3_600_000;
const nightly = { name: 'nightly', cron: '0 3 * * *' };
const reused: unknown = expect.objectContaining({ code: 'idempotency-key-reused' });

interface Room {
  catalog: Catalog;
  clock: ManualClock;
  service: SchedulesService;
}

async function room(kind: CatalogKind): Promise<Room> {
  const catalog = await emptyCatalog(kind);
  const clock = new ManualClock();
  for (const name of ['shop', 'store']) await insertDatabase(catalog, name, clock.now());
  return { catalog, clock, service: schedulerOn(catalog, clock).service };
}

describe.each(catalogKinds())('a schedule that is asked for with a key, in a catalog in $name', (kind) => {
  it('is made once, and told of once', async () => {
    const { catalog, clock, service } = await room(kind);
    const first = await service.create('shop', nightly, 'key');
    clock.advance(DAY_MS - 1);
    expect(await service.create('shop', nightly, 'key')).toEqual(first);
    expect(await catalog.read.count(Schedule)).toBe(1);
    expect(await catalog.read.countBy(RecordedEvent, { name: 'ScheduleCreated' })).toBe(1);
  });

  it('is made once when it is asked for many times at once', async () => {
    const { catalog, clock } = await room(kind);
    const made = await Promise.all(
      Array.from({ length: 8 }, () => schedulerOn(catalog, clock).service.create('shop', nightly, 'key')),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await catalog.read.countBy(RecordedEvent, { name: 'ScheduleCreated' })).toBe(1);
  });

  it('is made for one of two databases when both want the key at once', async () => {
    const { catalog, service } = await room(kind);
    const outcomes = await Promise.allSettled(
      ['shop', 'store'].map((database) => service.create(database, nightly, 'key')),
    );
    const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(lost).toEqual([reused]);
    expect(await catalog.read.count(Schedule)).toBe(1);
  });

  it('gives its key up after a day, to a request for another database', async () => {
    const { catalog, clock, service } = await room(kind);
    const first = await service.create('shop', nightly, 'key');
    await expect(service.create('store', nightly, 'key')).rejects.toThrow(reused);
    clock.advance(DAY_MS);
    const second = await service.create('store', nightly, 'key');
    expect(second.id).not.toBe(first.id);
    expect(await service.get(first.id)).toEqual(Object.assign(first, NO_ORIGIN));
    expect(await catalog.read.count(Schedule)).toBe(2);
  });

  it('does not get back, by a change that had begun before, a key that it has given up', async () => {
    const { catalog, clock, service } = await room(kind);
    const first = await service.create('shop', nightly, 'key');
    clock.advance(DAY_MS);
    const second = await service.create('store', nightly, 'key');
    // As a change writes it that read the schedule before.
    const shop = await insertDatabase(catalog, 'only-for-messages', clock.now());
    await catalog.write((tx) => updateSchedule(tx, Object.assign(first, { enabled: false }), shop));
    expect(await service.get(first.id)).toMatchObject({ enabled: false, idempotencyKey: null });
    expect((await service.create('store', nightly, 'key')).id).toBe(second.id);
  });

  it('keeps its key when it is changed', async () => {
    const { service } = await room(kind);
    const { id } = await service.create('shop', nightly, 'key');
    const changed = await service.change(id, { cron: '0 4 * * *', name: 'later' });
    expect(await service.create('shop', nightly, 'key')).toEqual(changed);
  });
});
