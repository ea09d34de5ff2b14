import { describe, expect, it } from 'vitest';

import { Backup } from '../../src/backups/backup.entity.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';
import type { Blackout } from '../../src/scheduler/blackouts.ts';
import { Schedule } from '../../src/scheduler/schedule.entity.ts';
import { catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  emptyCatalog,
  endAll,
  insertDatabase,
  insertSchedule,
  missedEvents,
  schedulerOn,
  slotsOf,
  tickerOn,
} from './room.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const office: Blackout[] = [{ from: '08:00', to: '18:00' }];
const sqlite = catalogKinds()[0]!;

/** A catalog, and a clock that stands at this time of 20 November 2026, a Friday. */
async function at(time: string): Promise<{ catalog: Catalog; clock: ManualClock }> {
  return { catalog: await emptyCatalog(sqlite), clock: new ManualClock(new Date(`2026-11-20T${time}:00Z`)) };
}
const read = async (catalog: Catalog, { id }: Schedule): Promise<Schedule> =>
  catalog.read.findOneByOrFail(Schedule, { id });

describe('a missed run that a blackout puts off', () => {
  it('is made after the blackout, however often the service starts anew within it, and told of at once', async () => {
    const { catalog, clock } = await at('02:00');
    // It follows the zone of the service, so each start asks whether its times have changed.
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *', blackouts: office });
    clock.advance(7 * HOUR_MS);
    await schedulerOn(catalog, clock).start();
    expect(await missedEvents(catalog)).toMatchObject([{ facts: { count: 1, caught_up: true } }]);
    for (let start = 0; start < 3; start += 1) {
      expect(await slotsOf(catalog, schedule)).toEqual([]);
      expect((await read(catalog, schedule)).nextRunAt?.toISOString()).toBe('2026-11-20T18:00:00.000Z');
      clock.advance(HOUR_MS);
      await schedulerOn(catalog, clock).start();
    }
    clock.advance(6 * HOUR_MS);
    await tickerOn(catalog, clock).tick();
    await endAll(catalog);
    await tickerOn(catalog, clock).tick();
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
    expect(await missedEvents(catalog)).toHaveLength(1);
  });

  it('is made although the schedule gets other times meanwhile, and not when it is stopped', async () => {
    const { catalog, clock } = await at('02:00');
    const fields = { cron: '0 3 * * *', blackouts: office };
    const [changed, stopped] = [
      await insertSchedule(catalog, clock, fields),
      await insertSchedule(catalog, clock, fields),
    ];
    clock.advance(7 * HOUR_MS);
    const { service, ticker } = schedulerOn(catalog, clock);
    await ticker.tick();
    await service.change(changed.id, { cron: '0 4 * * *', timezone: 'Asia/Jakarta' });
    await service.change(stopped.id, { enabled: false });
    await service.change(stopped.id, { enabled: true });
    clock.advance(9 * HOUR_MS);
    await tickerOn(catalog, clock).tick();
    expect(await slotsOf(catalog, changed)).toEqual(['11-20T03:00']);
    expect(await slotsOf(catalog, stopped)).toEqual([]);
  });

  it('is still known where the row was written by a version before', async () => {
    const { catalog, clock } = await at('02:00');
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *', blackouts: office });
    const heldBefore = { firing: null, nextRunAt: new Date('2026-11-20T18:00:00Z') };
    await catalog.write((tx) => tx.update(Schedule, { id: schedule.id }, heldBefore));
    clock.advance(8 * HOUR_MS);
    await schedulerOn(catalog, clock).start();
    clock.advance(8 * HOUR_MS);
    await tickerOn(catalog, clock).tick();
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
    expect(await missedEvents(catalog)).toHaveLength(1);
  });
});

describe("when the service's own schedule changes while it is down", () => {
  const nightly = { BACKUP_SCHEDULE: '0 3 * * *' };

  async function followerOf(catalog: Catalog, clock: ManualClock, variables: Record<string, string>) {
    const { id } = await insertDatabase(catalog, 'follows', clock.now());
    await schedulerOn(catalog, clock, variables).start();
    return catalog.read.findOneByOrFail(Schedule, { databaseId: id });
  }

  it.each<[string, Record<string, string>, string]>([
    ['to another time', { BACKUP_SCHEDULE: '0 4 * * *' }, '2026-11-24T04:00:00.000Z'],
    [
      'to one that comes at the same moment next',
      { BACKUP_SCHEDULE: '0 3 * * 2' },
      '2026-11-24T03:00:00.000Z',
    ],
    ['to an interval', { BACKUP_INTERVAL_HOURS: '6' }, '2026-11-23T14:00:00.000Z'],
    ['to another zone', { ...nightly, TIMEZONE: 'Asia/Jakarta' }, '2026-11-23T20:00:00.000Z'],
  ])(
    '%s: what was missed is what the times before say, and one run is made up for',
    async (_, after, next) => {
      const { catalog, clock } = await at('02:00');
      const schedule = await followerOf(catalog, clock, nightly);
      clock.advance(3 * DAY_MS + 6 * HOUR_MS);
      await schedulerOn(catalog, clock, after).start();
      expect(await missedEvents(catalog)).toMatchObject([
        { facts: { count: 4, last_slot: '2026-11-23T03:00:00.000Z', caught_up: true } },
      ]);
      expect(await slotsOf(catalog, schedule)).toEqual(['11-23T03:00']);
      expect((await read(catalog, schedule)).nextRunAt?.toISOString()).toBe(next);
    },
  );

  it('to none: what was missed is told of, and nothing runs any more', async () => {
    const { catalog, clock } = await at('02:00');
    const schedule = await followerOf(catalog, clock, nightly);
    clock.advance(DAY_MS + 2 * HOUR_MS);
    await schedulerOn(catalog, clock).start();
    expect(await missedEvents(catalog)).toMatchObject([{ facts: { count: 2, caught_up: false } }]);
    expect(await slotsOf(catalog, schedule)).toEqual([]);
    expect(await read(catalog, schedule)).toMatchObject({ nextRunAt: null, owedAt: null });
  });

  it('of two services on one catalog, both go by what the one that was started last says', async () => {
    const { catalog, clock } = await at('02:00');
    const schedule = await followerOf(catalog, clock, nightly);
    const other = schedulerOn(catalog, clock, { BACKUP_SCHEDULE: '30 2 * * *' });
    await other.start();
    clock.advance(30 * MINUTE_MS);
    await tickerOn(catalog, clock, nightly).tick();
    await endAll(catalog);
    clock.advance(30 * MINUTE_MS);
    await Promise.all([tickerOn(catalog, clock, nightly).tick(), other.ticker.tick()]);
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T02:30']);
  });

  it('a service whose schedules are off leaves those of its catalog alone', async () => {
    const { catalog, clock } = await at('02:00');
    const schedule = await followerOf(catalog, clock, nightly);
    const worker = schedulerOn(catalog, clock, { BACKUP_ENABLED: 'false' });
    await worker.start();
    clock.advance(HOUR_MS);
    await worker.ticker.tick();
    expect(await slotsOf(catalog, schedule)).toEqual([]);
    await tickerOn(catalog, clock, nightly).tick();
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
    expect(await missedEvents(catalog)).toEqual([]);
  });
});

describe('after a week with BACKUP_ENABLED=false', () => {
  it('one backup is made up for, the others are told of once; what was edited meanwhile loses nothing', async () => {
    const { catalog, clock } = await at('02:00');
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    const edited = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    const left = await insertSchedule(catalog, clock, { cron: '0 3 * * *', catchUp: 'skip' });
    const off = schedulerOn(catalog, clock, { BACKUP_ENABLED: 'false' });
    await off.start();
    clock.advance(3 * DAY_MS + 2 * HOUR_MS);
    await off.ticker.tick();
    await off.service.change(edited.id, { cron: '0 5 1 * *' });
    clock.advance(4 * DAY_MS);
    await schedulerOn(catalog, clock).start();
    const counts = (await missedEvents(catalog)).map(({ subjectId, facts }) => [subjectId, facts['count']]);
    expect(new Map(counts as [string, number][])).toEqual(
      new Map([
        [schedule.id, 8],
        [edited.id, 4],
        [left.id, 8],
      ]),
    );
    expect(counts).toHaveLength(3);
    expect(await slotsOf(catalog, schedule)).toEqual(['11-27T03:00']);
    expect(await slotsOf(catalog, edited)).toEqual(['11-23T03:00']);
    expect(await slotsOf(catalog, left)).toEqual([]);
  });
});

describe('a schedule that is changed', () => {
  it.each<[string, object]>([
    ['times', { cron: '0 5 * * *' }],
    ['zone', { timezone: 'America/New_York' }],
    ['interval', { intervalHours: 6 }],
    ['blackouts', { blackouts: [{ from: '12:00', to: '13:00' }] }],
    ['jitter', { jitterSeconds: 60 }],
    ['retention', { retention: { keepDaily: 7 } }],
    ['nothing', {}],
  ])('in its %s while a run is due, before the ticker has come: that run is made, once', async (_, edits) => {
    const { catalog, clock } = await at('02:00');
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *', catchUp: 'skip' });
    clock.advance(HOUR_MS + 20_000);
    const { service } = schedulerOn(catalog, clock);
    await service.change(schedule.id, edits);
    await service.change(schedule.id, edits);
    clock.advance(40_000);
    for (let tick = 0; tick < 4; tick += 1) {
      await tickerOn(catalog, clock).tick();
      await endAll(catalog);
      clock.advance(MINUTE_MS);
    }
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
    expect(await missedEvents(catalog)).toEqual([]);
  });

  it('while a run is put off by a blackout that goes: it is made at once, and is no missed one', async () => {
    const { catalog, clock } = await at('02:00');
    const fields = { cron: '0 9 * * *', blackouts: office, catchUp: 'skip' as const };
    const schedule = await insertSchedule(catalog, clock, fields);
    const { service, ticker } = schedulerOn(catalog, clock);
    clock.advance(8 * HOUR_MS);
    await ticker.tick();
    await service.change(schedule.id, { blackouts: [] });
    await ticker.tick();
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T09:00']);
    expect(await missedEvents(catalog)).toEqual([]);
    expect((await read(catalog, schedule)).nextRunAt?.toISOString()).toBe('2026-11-21T09:00:00.000Z');
  });

  it('by the fields of its database loses nothing either', async () => {
    const { catalog, clock } = await at('02:00');
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    clock.advance(HOUR_MS + 20_000);
    const { keeper } = schedulerOn(catalog, clock);
    await catalog.write(async (tx) => {
      const database = await tx.findOneByOrFail(Database, { id: schedule.databaseId });
      await keeper.onSave(tx, database, { intervalHours: 6 });
    });
    await tickerOn(catalog, clock).tick();
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
  });
});

describe('a clock that is put forward by an hour, and back', () => {
  it('makes each quarter of an hour once', async () => {
    const { catalog, clock } = await at('02:29');
    const schedule = await insertSchedule(catalog, clock, { cron: '*/15 * * * *', catchUp: 'skip' });
    const { ticker, service } = schedulerOn(catalog, clock);
    const tick = async (): Promise<void> => {
      await ticker.tick();
      await endAll(catalog);
    };
    await tick();
    clock.advance(MINUTE_MS);
    clock.setWallTo(new Date('2026-11-20T03:31:00Z'));
    await tick();
    clock.advance(MINUTE_MS);
    clock.setWallTo(new Date('2026-11-20T02:32:00Z'));
    // Who edits it at this moment does not take away what has not come yet.
    await service.change(schedule.id, { retention: { keepDaily: 7 } });
    for (let minute = 0; minute < 75; minute += 1) {
      await tick();
      clock.advance(MINUTE_MS);
    }
    const times = (await slotsOf(catalog, schedule)).map((slot) => slot.slice(6));
    expect(times).toEqual(['02:30', '02:45', '03:00', '03:15', '03:30', '03:45']);
    expect(await missedEvents(catalog)).toEqual([]);
    expect(await catalog.read.countBy(Backup, { scheduleId: schedule.id })).toBe(6);
  });
});
