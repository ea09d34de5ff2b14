import { Logger } from '@nestjs/common';
import { expect, it, onTestFinished, vi } from 'vitest';

import { ClockWatch } from '../../src/retention/clock-watch.ts';
import { catalogKinds } from '../catalog/places.ts';
import { event, type EventsUnderTest, freshEvents } from '../events/events-under-test.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const [sqlite] = catalogKinds();

/** A catalog in which something has happened every day, until now. */
async function busyCatalog(): Promise<EventsUnderTest> {
  const warned = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  onTestFinished(() => warned.mockRestore());
  const room = await freshEvents(sqlite!);
  onTestFinished(() => room[Symbol.asyncDispose]());
  for (let day = 1; day <= 3; day += 1) {
    await happens(room);
    room.clock.advance(DAY_MS);
  }
  return room;
}

const happens = ({ catalog, log }: EventsUnderTest): Promise<void> =>
  catalog.write(async (tx) => log.append(tx, event('b1')));

async function started({ catalog, clock }: EventsUnderTest): Promise<ClockWatch> {
  const watch = new ClockWatch(catalog, clock);
  await watch.onModuleInit();
  return watch;
}

it('a service that starts where it has stopped believes its clock, and one that is new', async () => {
  const room = await busyCatalog();
  expect((await started(room)).isSteady()).toBe(true);
  const empty = await freshEvents(sqlite!);
  onTestFinished(() => empty[Symbol.asyncDispose]());
  expect((await started(empty)).isSteady()).toBe(true);
});

it('a service that starts with a clock 40 days ahead does not believe it for an hour, also when it is started again', async () => {
  const room = await busyCatalog();
  room.clock.setWallTo(new Date(room.clock.now().getTime() + 40 * DAY_MS));
  const first = await started(room);
  expect(first.isSteady()).toBe(false);
  // What it does with that clock is written down with that clock.
  await happens(room);
  room.clock.advance(20 * MINUTE_MS);
  await happens(room);
  const second = await started(room);
  room.clock.advance(40 * MINUTE_MS - 1);
  expect([first.isSteady(), second.isSteady()]).toEqual([false, false]);
  room.clock.advance(1);
  expect([first.isSteady(), second.isSteady()]).toEqual([true, true]);
});

it('a clock that is put right within that hour is believed, and what was written down with the wrong one does no harm', async () => {
  const room = await busyCatalog();
  const right = room.clock.now();
  room.clock.setWallTo(new Date(right.getTime() + 40 * DAY_MS));
  await started(room);
  await happens(room);
  room.clock.setWallTo(right);
  room.clock.advance(1.5 * HOUR_MS);
  expect((await started(room)).isSteady()).toBe(true);
});
