import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TimeZone } from '../clock/time-zone.js';
import { type Blackout, toBlackoutWeek } from './blackouts.js';
import { parseCron } from './cron-expression.js';
import { decideDue, type Watch } from './due-runs.js';
import { nextRun, newestRunDue, type RunRules } from './runs.js';
import type { CatchUp } from './schedule.entity.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const utc = (text: string): number => Date.parse(`2026-${text.replace(' ', 'T')}Z`);
const text = (at: number): string => new Date(at).toISOString().slice(5, 16).replace('T', ' ');

function rules(
  cron: string,
  more: { blackouts?: Blackout[]; jitterMs?: number; zone?: string } = {},
): RunRules {
  const zone = TimeZone.of(more.zone ?? 'UTC');
  return {
    key: 'a schedule',
    zone,
    timing: { kind: 'cron', cron: parseCron(cron), zone },
    jitterMs: more.jitterMs ?? 0,
    ...(more.blackouts && { blackouts: toBlackoutWeek(more.blackouts) }),
  };
}

function decide(cron: string | RunRules, settled: string, watch: Watch, catchUp: CatchUp = 'run') {
  const decided = decideDue(typeof cron === 'string' ? rules(cron) : cron, utc(settled), catchUp, watch);
  return {
    run: decided.run === undefined ? null : text(decided.run.at),
    caughtUp: decided.caughtUp,
    missed: decided.missed?.count ?? 0,
    settled: text(decided.settledUntil),
    next: text(decided.nextRunAt),
  };
}

describe('what is due', () => {
  it('in time, a run is made', () => {
    expect(decide('0 3 * * *', '11-20 03:00', { now: utc('11-21 03:00') })).toEqual({
      run: '11-21 03:00',
      caughtUp: false,
      missed: 0,
      settled: '11-21 03:00',
      next: '11-22 03:00',
    });
  });

  it('before its time, nothing is', () => {
    const early = { now: utc('11-21 03:00') - 1 };
    expect(decide('0 3 * * *', '11-20 03:00', early)).toMatchObject({ run: null, settled: '11-20 03:00' });
  });

  it('of forty that were missed, the newest is made up for', () => {
    const late = { now: utc('11-22 19:30') };
    expect(decide('0 * * * *', '11-21 03:00', late)).toEqual({
      run: '11-22 19:00',
      caughtUp: true,
      missed: 40,
      settled: '11-22 19:00',
      next: '11-22 20:00',
    });
    expect(decide('0 * * * *', '11-21 03:00', late, 'skip')).toMatchObject({
      run: null,
      missed: 40,
      settled: '11-22 19:00',
    });
  });

  it('after a year of minutes it knows the newest, and that they were many', () => {
    const decided = decide('* * * * *', '01-01 00:00', { now: utc('12-31 12:00') });
    expect(decided).toMatchObject({ run: '12-31 12:00', missed: 1000, next: '12-31 12:01' });
  });

  it('a few minutes late is on time, also when missed runs are left out', () => {
    const now = utc('11-21 03:04');
    expect(decide('0 3 * * *', '11-20 03:00', { now }, 'skip')).toMatchObject({
      run: '11-21 03:00',
      missed: 0,
    });
    const later = { now: utc('11-21 03:06') };
    expect(decide('0 3 * * *', '11-20 03:00', later, 'skip')).toMatchObject({ run: null, missed: 1 });
  });
});

describe('a clock that is put', () => {
  it('forward over a run does not lose it, also when missed runs are left out', () => {
    const jumped = { now: utc('11-21 03:30'), watchedSince: utc('11-21 02:30') };
    expect(decide('0 3 * * *', '11-20 03:00', jumped, 'skip')).toMatchObject({
      run: '11-21 03:00',
      missed: 0,
    });
  });

  it('forward over several runs makes one', () => {
    const jumped = { now: utc('11-21 03:30'), watchedSince: utc('11-21 02:30') };
    expect(decide('*/15 * * * *', '11-21 02:30', jumped)).toMatchObject({
      run: '11-21 03:30',
      missed: 0,
      next: '11-21 03:45',
    });
  });

  it('back over a run does not double it', () => {
    const back = { now: utc('11-21 02:30'), watchedSince: utc('11-21 03:29') };
    expect(decide('0 3 * * *', '11-21 03:00', back)).toMatchObject({ run: null, next: '11-22 03:00' });
    const again = { now: utc('11-21 03:00'), watchedSince: utc('11-21 02:59') };
    expect(decide('0 3 * * *', '11-21 03:00', again)).toMatchObject({ run: null, next: '11-22 03:00' });
  });

  it('back from a far future begins anew', () => {
    const back = { now: utc('11-21 02:30') };
    expect(decide('0 3 * * *', '12-24 03:00', back)).toMatchObject({
      run: null,
      settled: '11-21 02:30',
      next: '11-21 03:00',
    });
  });

  it('to and fro, minute by minute, makes each run once and loses none', () => {
    const jump = fc.record({ atMinute: fc.integer({ min: 1, max: 3000 }), hours: fc.constantFrom(-1, 1) });
    fc.assert(
      fc.property(
        jump,
        fc.integer({ min: 0, max: 59 }),
        fc.constantFrom<CatchUp>('run', 'skip'),
        (jumped, minute, catchUp) => {
          const daily = rules(`${minute} 3 * * *`);
          let [settled, watchedSince, offset] = [utc('11-20 00:00'), utc('11-20 00:00'), 0];
          const made: number[] = [];
          for (let tick = 1; tick < 3 * 24 * 60; tick += 1) {
            if (tick === jumped.atMinute) offset = jumped.hours * HOUR_MS;
            const now = utc('11-20 00:00') + tick * MINUTE_MS + offset;
            const decided = decideDue(daily, settled, catchUp, { now, watchedSince });
            settled = decided.settledUntil;
            watchedSince = now;
            if (decided.run !== undefined) made.push(decided.run.at);
            expect(decided.missed).toBeUndefined();
          }
          const days = ['11-20', '11-21', '11-22'].map((day) =>
            utc(`${day} 03:${String(minute).padStart(2, '0')}`),
          );
          expect(made).toEqual(days);
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);
});

describe('a blackout', () => {
  const office: Blackout = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' };
  const runsOf = (made: RunRules, after: string, count: number): string[] => {
    const runs: string[] = [];
    for (let at = utc(after); runs.length < count;) {
      const run = nextRun(made, at);
      runs.push(text(run.at));
      at = run.at;
    }
    return runs;
  };

  it('puts the runs in it off to its end, as one', () => {
    // 20 November 2026 is a Friday.
    expect(runsOf(rules('0 */3 * * *', { blackouts: [office] }), '11-20 04:00', 5)).toEqual([
      '11-20 06:00',
      '11-20 18:00',
      '11-20 21:00',
      '11-21 00:00',
      '11-21 03:00',
    ]);
  });

  it.each<[string, Blackout[], string]>([
    ['over midnight ends on the day after', [{ days: ['fri'], from: '22:00', to: '04:00' }], '11-21 04:00'],
    ['of a whole day ends at midnight', [{ days: ['fri'], from: '00:00', to: '24:00' }], '11-21 00:00'],
    ['beside another ends with that', [office, { days: ['fri'], from: '18:00', to: '23:30' }], '11-20 23:30'],
  ])('%s', (_, blackouts, expected) => {
    const inIt = expected === '11-21 04:00' ? '11-20 22:30' : '11-20 08:59';
    expect(runsOf(rules('0 * * * *', { blackouts }), inIt, 1)).toEqual([expected]);
  });

  it('also holds a run that is late, and then calls it missed once', () => {
    const made = rules('0 3 * * *', { blackouts: [office] });
    const held = decide(made, '11-19 03:00', { now: utc('11-20 09:00') });
    expect(held).toEqual({
      run: null,
      caughtUp: false,
      missed: 0,
      settled: '11-19 03:00',
      next: '11-20 18:00',
    });
    expect(decide(made, '11-19 03:00', { now: utc('11-20 18:00') })).toMatchObject({
      run: '11-20 03:00',
      missed: 1,
    });
  });

  it('is in the time of the zone, and goes by real time where its clock changes', () => {
    const night = rules('0 1 * * *', { zone: 'Europe/Berlin', blackouts: [{ from: '00:30', to: '02:30' }] });
    // 25 October: 02:30 comes twice, and the first one ends the blackout.
    expect(text(nextRun(night, utc('10-24 12:00')).at)).toBe('10-25 00:30');
  });
});

describe('jitter', () => {
  it('is the same for all who ask, within its bounds, and differs from run to run', () => {
    const made = rules('0 * * * *', { jitterMs: 600_000 });
    const delays = new Set<number>();
    for (let at = utc('11-20 00:00'), count = 0; count < 200; count += 1) {
      const run = nextRun(made, at);
      expect(nextRun(made, at)).toEqual(run);
      delays.add(run.dueAt - run.at);
      at = run.at;
    }
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(600_000);
    expect(delays.size).toBeGreaterThan(100);
  });

  it('delays the run, and not its name', () => {
    const made = rules('0 3 * * *', { jitterMs: 600_000 });
    const run = nextRun(made, utc('11-20 03:00'));
    expect(run.dueAt).toBeGreaterThan(run.at);
    expect(decide(made, '11-20 03:00', { now: run.dueAt - 1 }).run).toBeNull();
    expect(decide(made, '11-20 03:00', { now: run.dueAt }).run).toBe('11-21 03:00');
  });

  it('does not hide the newest run from who looks backwards', () => {
    const made = rules('*/7 * * * *', { jitterMs: 400_000 });
    fc.assert(
      fc.property(fc.integer({ min: utc('02-01 00:00'), max: utc('03-01 00:00') }), (until) => {
        const newest = newestRunDue(made, utc('01-01 00:00'), until);
        let expected = nextRun(made, until - 6 * HOUR_MS);
        for (let run = expected; run.dueAt <= until; run = nextRun(made, run.at)) expected = run;
        expect(newest?.at).toBe(expected.at);
      }),
    );
  });
});
