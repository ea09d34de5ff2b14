import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';

import { Backup } from '../../src/backups/backup.entity.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { editSchedule } from '../../src/scheduler/schedule-edits.ts';
import { Schedule } from '../../src/scheduler/schedule.entity.ts';
import { ScheduleTimings } from '../../src/scheduler/schedule-timings.ts';
import { catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { emptyCatalog, endAll, insertSchedule, missedEvents, slotsOf, tickerOn } from './room.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe.each(catalogKinds())('the ticker on $name', (kind) => {
  it('asks for one backup for each slot, with its ticket, whatever the number of tickers', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T12:00:30Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    const tickers = [1, 2, 3, 4].map(() => tickerOn(catalog, clock));
    for (let day = 0; day < 3; day += 1) {
      clock.advance(DAY_MS);
      await Promise.all(tickers.map((ticker) => ticker.tick()));
      // A restarted process looks too.
      await tickerOn(catalog, clock).tick();
      await endAll(catalog);
    }
    expect(await slotsOf(catalog, schedule)).toEqual(['11-21T03:00', '11-22T03:00', '11-23T03:00']);
    expect(await catalog.read.countBy(Ticket, { kind: 'backup' })).toBe(3);
    const after = await catalog.read.findOneByOrFail(Schedule, { id: schedule.id });
    expect(after.nextRunAt?.toISOString()).toBe('2026-11-24T03:00:00.000Z');
    expect(after.lastRunAt?.toISOString()).toBe(clock.now().toISOString());
    expect(after.lastBackupId).not.toBeNull();
  });

  it('has one row for a slot even if all else fails: the unique key refuses the second', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T12:00:00Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    clock.advance(DAY_MS);
    await tickerOn(catalog, clock).tick();
    const [made] = await catalog.read.findBy(Backup, { scheduleId: schedule.id });
    const twin = Object.assign(new Backup(), made, { id: uuidv7() });
    await expect(catalog.write((tx) => tx.insert(Backup, twin))).rejects.toThrow(/unique/i);
  });
});

const [sqlite] = catalogKinds();

describe('a ticker', () => {
  const kind = sqlite!;

  it('tells of missed runs once, with one backup in their place', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T00:30:00Z'));
    const made = await insertSchedule(catalog, clock, { cron: '0 * * * *' });
    const skipped = await insertSchedule(catalog, clock, { cron: '0 * * * *', catchUp: 'skip' });
    clock.advance(40 * 60 * MINUTE_MS);
    await tickerOn(catalog, clock).tick();
    await tickerOn(catalog, clock).tick();
    expect(await slotsOf(catalog, made)).toEqual(['11-21T16:00']);
    expect(await slotsOf(catalog, skipped)).toEqual([]);
    const events = await missedEvents(catalog);
    expect(events.map(({ subjectId }) => subjectId).toSorted()).toEqual([made.id, skipped.id].toSorted());
    expect(events.find(({ subjectId }) => subjectId === made.id)?.facts).toMatchObject({
      count: 40,
      first_slot: '2026-11-20T01:00:00.000Z',
      last_slot: '2026-11-21T16:00:00.000Z',
      caught_up: true,
    });
    const total = { eventName: 'ScheduleRunMissed', databaseId: made.databaseId } as const;
    expect(await catalog.read.findOneBy(EventTotal, total)).toMatchObject({ count: 40 });
  });

  it('neither doubles nor loses a run, nor calls one missed, when the clock is put', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T02:29:00Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *', catchUp: 'skip' });
    const ticker = tickerOn(catalog, clock);
    await ticker.tick();
    clock.advance(MINUTE_MS);
    clock.setWallTo(new Date('2026-11-20T03:30:00Z')); // forward over the run
    await ticker.tick();
    await endAll(catalog);
    clock.setWallTo(new Date('2026-11-20T02:31:00Z')); // and back over it
    for (let minute = 0; minute < 60; minute += 1) {
      clock.advance(MINUTE_MS);
      await ticker.tick();
    }
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
    expect(await missedEvents(catalog)).toEqual([]);
    clock.advance(DAY_MS - 31 * MINUTE_MS);
    await tickerOn(catalog, clock).tick();
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00', '11-21T03:00']);
  });

  it('runs again the slots that a clock far ahead had run', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2027-06-01T02:59:00Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    const ticker = tickerOn(catalog, clock);
    clock.advance(2 * MINUTE_MS);
    await ticker.tick();
    await endAll(catalog);
    clock.setWallTo(new Date('2026-11-20T02:58:00Z'));
    for (let minute = 0; minute < 3; minute += 1) {
      clock.advance(MINUTE_MS);
      await ticker.tick();
    }
    expect(await slotsOf(catalog, schedule)).toEqual(['', '11-20T03:00']);
  });

  it('leaves a run out, and says so, while the one before is still at work', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T02:59:00Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '* * * * *' });
    const ticker = tickerOn(catalog, clock);
    for (let minute = 0; minute < 3; minute += 1) {
      clock.advance(MINUTE_MS);
      await ticker.tick();
    }
    expect(await slotsOf(catalog, schedule)).toEqual(['11-20T03:00']);
    expect(await catalog.read.countBy(RecordedEvent, { name: 'ScheduleRunSkipped' })).toBe(2);
  });

  it('does nothing while schedules are off, nor for one that is disabled', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T02:59:00Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '* * * * *' });
    const disabled = await insertSchedule(catalog, clock, { cron: '* * * * *', enabled: false });
    clock.advance(MINUTE_MS);
    await tickerOn(catalog, clock, { BACKUP_ENABLED: 'false' }).tick();
    expect(await slotsOf(catalog, schedule)).toEqual([]);
    await tickerOn(catalog, clock).tick();
    expect([await slotsOf(catalog, schedule), await slotsOf(catalog, disabled)]).toEqual([
      ['11-20T03:00'],
      [],
    ]);
  });

  it('begins anew when the times of a schedule change: nothing of before was missed', async () => {
    const catalog = await emptyCatalog(kind);
    const clock = new ManualClock(new Date('2026-11-20T12:00:00Z'));
    const schedule = await insertSchedule(catalog, clock, { cron: '0 3 * * *', enabled: false });
    clock.advance(30 * DAY_MS);
    editSchedule(schedule, { enabled: true }, new ScheduleTimings(readConfig({})), clock.now());
    const { id, ...columns } = schedule;
    await catalog.write((tx) => tx.update(Schedule, { id }, columns));
    await tickerOn(catalog, clock).tick();
    expect([await slotsOf(catalog, schedule), await missedEvents(catalog)]).toEqual([[], []]);
  });
});

describe("the service's own schedule", () => {
  it.each([
    ['* * * * * *', /BACKUP_SCHEDULE.*5 fields/],
    ['0 0 31 2 *', /BACKUP_SCHEDULE.*never fires/],
  ])('refuses to start with %s', (cron, reason) => {
    expect(() => new ScheduleTimings(readConfig({ BACKUP_SCHEDULE: cron }))).toThrow(reason);
  });
});
