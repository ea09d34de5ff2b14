import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TimeZone } from '../clock/time-zone.js';
import { parseCron } from './cron-expression.js';
import { nextSlot, type Slot, slotsBetween, type Timing } from './slots.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const utc = (text: string): number => Date.parse(text.endsWith('Z') ? text : `${text}Z`);
const iso = (at: number): string => new Date(at).toISOString().slice(0, 16);
const cronTiming = (text: string, zone = 'UTC'): Timing => ({
  kind: 'cron',
  cron: parseCron(text),
  zone: TimeZone.of(zone),
});

/** The next slots, in UTC to the minute, each with what daylight saving did to it. */
function firings(timing: Timing, after: string, count: number): string[] {
  return slotsBetween(timing, utc(after), Number.MAX_SAFE_INTEGER, count).map(({ at, shift }) =>
    shift === undefined ? iso(at) : `${iso(at)} ${shift}`,
  );
}

describe('the slots of a cron expression', () => {
  it.each([
    ['0 3 * * *', 'UTC', '2026-11-21T03:00', ['2026-11-22T03:00', '2026-11-23T03:00']],
    ['0 3 * * *', 'UTC', '2026-11-21T02:59:59.999', ['2026-11-21T03:00']],
    ['0 3 * * *', 'Asia/Jakarta', '2026-11-21T00:00', ['2026-11-21T20:00', '2026-11-22T20:00']],
    ['*/20 0 1 1 *', 'UTC', '2026-01-01T00:40', ['2027-01-01T00:00', '2027-01-01T00:20']],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['0 0 13 * fri', 'UTC', '2026-11-01T00:00', ['2026-11-06T00:00', '2026-11-13T00:00', '2026-11-20T00:00']],
    ['0 0 31 * *', 'UTC', '2026-11-21T00:00', ['2026-12-31T00:00', '2027-01-31T00:00', '2027-03-31T00:00']],
  ])('%s in %s after %s', (text, zone, after, expected) => {
    expect(firings(cronTiming(text, zone), after, expected.length)).toEqual(expected);
  });

  it.each([
    [
      'a time that does not exist runs at the next valid instant',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T00:00',
      ['2026-03-28T01:30', '2026-03-29T01:00 gap', '2026-03-30T00:30'],
    ],
    [
      'a time that comes twice runs the first time only',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00',
      ['2026-10-25T00:30 fold', '2026-10-26T01:30'],
    ],
    [
      'each time on the wall runs once, also when an hour comes twice',
      '0 * * * *',
      'Europe/Berlin',
      '2026-10-24T23:00',
      ['2026-10-25T00:00 fold', '2026-10-25T02:00', '2026-10-25T03:00'],
    ],
    [
      'all times in the hour left out are one run',
      '*/15 * * * *',
      'America/New_York',
      '2026-03-08T06:30',
      ['2026-03-08T06:45', '2026-03-08T07:00 gap', '2026-03-08T07:15'],
    ],
    [
      'midnight is left out',
      '0 0 * * *',
      'America/Asuncion',
      '2023-09-30T12:00',
      ['2023-10-01T04:00 gap', '2023-10-02T03:00'],
    ],
    [
      'a day is left out',
      '0 3 * * *',
      'Pacific/Apia',
      '2011-12-28T20:00',
      ['2011-12-29T13:00', '2011-12-30T10:00 gap', '2011-12-30T13:00'],
    ],
    [
      'midnight comes twice',
      '30 23 * * *',
      'America/Havana',
      '2026-11-01T03:00',
      ['2026-11-01T03:30', '2026-11-02T04:30'],
    ],
  ])('%s', (_, text, zone, after, expected) => {
    expect(firings(cronTiming(text, zone), after, expected.length)).toEqual(expected);
  });
});

describe('the slots of an interval', () => {
  const sixHours: Timing = { kind: 'interval', everyMs: 6 * HOUR_MS, anchor: utc('2026-03-28T20:10') };

  it.each([
    ['2026-03-28T20:10', '2026-03-29T02:10'],
    ['2026-03-01T00:00', '2026-03-29T02:10'],
    ['2026-03-29T02:09:59.999', '2026-03-29T02:10'],
    ['2026-03-29T02:10', '2026-03-29T08:10'],
  ])('after %s comes %s, whatever a wall clock does', (after, next) => {
    expect(iso(nextSlot(sixHours, utc(after)).at)).toBe(next);
  });
});

/** Ten years; zones change their rules on dates in them that the platform's tz database knows. */
const FROM = utc('2020-01-01T00:00');
const UNTIL = utc('2030-01-01T00:00');

describe('in every zone over ten years', () => {
  it('a daily job has one slot for each calendar day, strictly increasing', () => {
    const wrong: string[] = [];
    // 02:30 is where clocks are changed most; 00:00 is where they are changed at midnight.
    for (const text of ['30 2 * * *', '0 0 * * *']) {
      for (const zone of Intl.supportedValuesOf('timeZone')) {
        const timing = cronTiming(text, zone);
        let before = nextSlot(timing, FROM);
        for (let slot = nextSlot(timing, before.at); slot.at < UNTIL; slot = nextSlot(timing, before.at)) {
          const isNextDay = (slot.local ?? 0) - (before.local ?? 0) === DAY_MS;
          // Antarctica/Casey moves its clocks by three hours; nobody moves them further.
          const hours = (slot.at - before.at) / HOUR_MS;
          if (!isNextDay || hours < 21 || hours > 27) {
            wrong.push(`${zone} ${text} ${iso(before.at)} ${iso(slot.at)}`);
          }
          before = slot;
        }
      }
    }
    expect(wrong).toEqual([]);
    // A million days: seconds of work, and minutes beside others.
  }, 240_000);
});

const field = (min: number, max: number): fc.Arbitrary<string> => {
  const number = fc.integer({ min, max });
  const range = fc.tuple(number, number).map(([a, b]) => [Math.min(a, b), Math.max(a, b)].join('-'));
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 4, arbitrary: number.map(String) },
    { weight: 1, arbitrary: range },
    {
      weight: 1,
      arbitrary: fc.tuple(range, fc.integer({ min: 1, max: 7 })).map(([r, step]) => `${r}/${step}`),
    },
    {
      weight: 1,
      arbitrary: fc.uniqueArray(number, { minLength: 2, maxLength: 3 }).map((list) => list.join(',')),
    },
  );
};
const expression = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
  .map((fields) => fields.join(' '));
const zoneName = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
const moment = fc.integer({ min: FROM, max: UNTIL });

describe('any expression in any zone', () => {
  it('has strictly increasing slots that mean strictly increasing local times which match it', () => {
    fc.assert(
      fc.property(expression, zoneName, moment, (text, name, after) => {
        const timing = cronTiming(text, name);
        const slots = slotsBetween(timing, after, Number.MAX_SAFE_INTEGER, 5);
        let [at, local] = [after, Number.NEGATIVE_INFINITY];
        for (const slot of slots) {
          expect(slot.at).toBeGreaterThan(at);
          expect(slot.local).toBeGreaterThan(local);
          [at, local] = [slot.at, slot.local ?? 0];
          if (slot.shift !== 'gap') expect(TimeZone.of(name).toLocal(slot.at)).toBe(slot.local);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is what cron-parser, written by others, says where the clock does not change', () => {
    let compared = 0;
    fc.assert(
      fc.property(expression, zoneName, moment, (text, name, after) => {
        const zone = TimeZone.of(name);
        const ours = nextSlot(cronTiming(text, name), after);
        const around = [after, ours.at - DAY_MS, ours.at, ours.at + DAY_MS].map((at) => zone.offsetAt(at));
        if (new Set(around).size > 1) return;
        compared += 1;
        expect(iso(ours.at)).toBe(iso(theirs(text, name, after)));
      }),
      { numRuns: 3000 },
    );
    expect(compared).toBeGreaterThan(1000);
  });
});

/** Days of the ten years on which the clocks of a zone are changed. */
function changesOf(zone: TimeZone): number[] {
  const days: number[] = [];
  for (let day = FROM; day < UNTIL; day += DAY_MS) {
    if (zone.offsetAt(day) !== zone.offsetAt(day + DAY_MS)) days.push(day);
  }
  return days;
}

/** One zone of all those that change their clocks alike. */
function differentZones(): Map<TimeZone, number[]> {
  const known = new Map<string, [TimeZone, number[]]>();
  for (const name of Intl.supportedValuesOf('timeZone')) {
    const zone = TimeZone.of(name);
    const days = changesOf(zone);
    const offsets = [FROM, ...days.map((day) => day + DAY_MS)].map((at) => `${at} ${zone.offsetAt(at)}`);
    if (days.length > 0) known.set(offsets.join(), [zone, days]);
  }
  return new Map(known.values());
}

/** Why ours may be another moment than theirs; undefined when there is no such reason. */
function reasonFor(zone: TimeZone, after: number, ours: Slot, other: number): string | undefined {
  const meant = zone.toInstant(zone.toLocal(other));
  if (ours.shift === 'gap') {
    const isChange = zone.offsetAt(ours.at) > zone.offsetAt(ours.at - 1000);
    if (isChange && other >= ours.at && other - ours.at <= 3 * HOUR_MS)
      return 'left out: ours is the first moment after';
  }
  if (ours.shift === 'fold' && zone.toLocal(other) === ours.local) return 'comes twice: ours is the first';
  if (meant.occurs === 'twice' && meant.at <= after) return 'comes twice: ours has been';
  return undefined;
}

describe('around every change of clocks in every zone over ten years', () => {
  it('daily jobs are what cron-parser says, or the time is left out or comes twice', () => {
    const wrong: string[] = [];
    const counts = { same: 0, 'left out': 0, 'comes twice': 0 };
    for (const [zone, days] of differentZones()) {
      for (const text of ['30 2 * * *', '0 0 * * *']) {
        for (const after of days.flatMap((day) => [day - DAY_MS, day])) {
          const ours = nextSlot(cronTiming(text, zone.name), after);
          const other = theirs(text, zone.name, after);
          const reason = ours.at === other ? 'same' : reasonFor(zone, after, ours, other)?.split(':')[0];
          if (reason !== undefined) counts[reason as keyof typeof counts] += 1;
          else wrong.push(`${zone.name} ${text} after ${iso(after)}: ${iso(ours.at)}, theirs ${iso(other)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    // Each kind is met, so that none of the reasons is an empty one.
    expect(counts.same).toBeGreaterThan(2000);
    expect(counts['left out']).toBeGreaterThan(50);
    expect(counts['comes twice']).toBeGreaterThan(10);
  }, 180_000);
});

function theirs(text: string, tz: string, after: number): number {
  return CronExpressionParser.parse(text, { tz, currentDate: new Date(after) })
    .next()
    .getTime();
}

/**
 * Both differences are ours on purpose. cron-parser moves a time that does not exist by the length of the gap (02:30 becomes 03:30);
 * we run at the next valid instant (03:00). It counts hours of real time for stars in the hour field, so that an hourly job runs in
 * both of the hours that come twice; for us a time on the wall is one slot, and runs the first time.
 */
describe('where the clock changes, cron-parser', () => {
  it.each([
    [
      'moves a time left out',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00',
      '2026-03-29T01:00',
      '2026-03-29T01:30',
    ],
    [
      'runs hours twice',
      '0 * * * *',
      'Europe/Berlin',
      '2026-10-25T00:00',
      '2026-10-25T02:00',
      '2026-10-25T01:00',
    ],
    [
      'agrees on a time that comes twice',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00',
      '2026-10-25T00:30',
      '2026-10-25T00:30',
    ],
    [
      'agrees on quarters left out',
      '*/15 * * * *',
      'America/New_York',
      '2026-03-08T06:45',
      '2026-03-08T07:00',
      '2026-03-08T07:00',
    ],
  ])('%s', (_, text, zone, after, ours, other) => {
    const slot = nextSlot(cronTiming(text, zone), utc(after));
    expect([iso(slot.at), iso(theirs(text, zone, utc(after)))]).toEqual([ours, other]);
  });
});
