import { describe, expect, it } from 'vitest';

import { Schedule } from '../../src/scheduler/schedule.entity.ts';
import { catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { emptyCatalog, insertSchedule, schedulerOn, slotsOf, tickerOn } from './room.ts';

const MINUTE_MS = 60_000;
const sqlite = catalogKinds()[0]!;
const begin = () => new ManualClock(new Date('2026-11-20T02:59:00Z'));

describe('what the ticker says of itself', () => {
  it('is well from its first look on, for as long as it looks', async () => {
    const clock = begin();
    const ticker = tickerOn(await emptyCatalog(sqlite), clock);
    expect(ticker.state.trouble).toMatch(/has not looked for due schedules yet/);
    for (let minute = 0; minute < 10; minute += 1) {
      await ticker.tick();
      expect(ticker.state).toEqual({ isOn: true, lookedAt: clock.now() });
      clock.advance(MINUTE_MS);
    }
    // A clock that is put says nothing of how long it stands still.
    clock.setWallTo(new Date('2027-01-01T00:00:00Z'));
    expect(ticker.state.trouble).toBeUndefined();
    clock.advance(4.5 * MINUTE_MS);
    expect(ticker.state.trouble).toMatch(/not looked for due schedules for 5 minutes; restart/);
    await ticker.tick();
    expect(ticker.state.trouble).toBeUndefined();
  });

  it('is nothing but off while schedules are off', async () => {
    const clock = begin();
    const ticker = tickerOn(await emptyCatalog(sqlite), clock, { BACKUP_ENABLED: 'false' });
    await ticker.tick();
    clock.advance(60 * MINUTE_MS);
    expect(ticker.state).toEqual({ isOn: false, lookedAt: null });
  });

  it('tells of a look that failed, until one succeeds', async () => {
    const catalog = await emptyCatalog(sqlite);
    const ticker = tickerOn(catalog, begin());
    await catalog.write((tx) => tx.query('ALTER TABLE schedules RENAME TO away'));
    await ticker.tick();
    expect(ticker.state.trouble).toMatch(/could not look/);
    await catalog.write((tx) => tx.query('ALTER TABLE away RENAME TO schedules'));
    await ticker.tick();
    expect(ticker.state.trouble).toBeUndefined();
  });

  it('tells of schedules that could not be run, which keep neither the others nor the start from their turn', async () => {
    const catalog = await emptyCatalog(sqlite);
    const clock = begin();
    const broken = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    const whole = await insertSchedule(catalog, clock, { cron: '0 3 * * *' });
    const timezone = 'Mars/Olympus';
    const firing = { cron: '0 3 * * *', intervalHours: null, timezone };
    await catalog.write((tx) => tx.update(Schedule, { id: broken.id }, { firing, timezone }));
    clock.advance(MINUTE_MS);
    const { start, ticker, service } = schedulerOn(catalog, clock);
    await start();
    expect(ticker.state.trouble).toMatch(/^1 due schedules could not be run/);
    expect([await slotsOf(catalog, broken), await slotsOf(catalog, whole)]).toEqual([[], ['11-20T03:00']]);
    // And an edit mends it.
    await service.change(broken.id, { timezone: 'UTC' });
    await ticker.tick();
    expect(ticker.state.trouble).toBeUndefined();
  });
});
