import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TimeZone } from '../clock/time-zone.js';
import { type Blackout, toBlackoutWeek } from './blackouts.js';
import { parseCron } from './cron-expression.js';
import { decideDue, settleBeforeChange, type Standing, type Watch } from './due-runs.js';
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

function decide(
  cron: string | RunRules,
  settled: string | Standing,
  watch: Watch,
  catchUp: CatchUp = 'run',
): Record<string, unknown> {
  const standing = typeof settled === 'string' ? { settledUntil: utc(settled) } : settled;
  const decided = decideDue(typeof cron === 'string' ? rules(cron) : cron, standing, catchUp, watch);
  return {
    run: decided.runAt === undefined ? null : text(decided.runAt),
    ...(decided.owedAt !== undefined && { owed: text(decided.owedAt) }),
    caughtUp: decided.missed?.caughtUp ?? false,
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

  it('back over a run opens those that have not come yet, and those that were on time just before', () => {
    const back = { now: utc('11-21 02:30'), watchedSince: utc('11-21 03:29') };
    expect(decide('0 3 * * *', '11-21 03:00', back)).toMatchObject({ run: null, next: '11-21 03:00' });
    expect(decide('*/15 * * * *', '11-21 03:15', back)).toMatchObject({ run: '11-21 02:30', missed: 0 });
  });

  it('back by less than a minute waits for the time to come again', () => {
    const back = { now: utc('11-21 02:59') + 30_000 };
    expect(decide('0 3 * * *', '11-21 03:00', back)).toMatchObject({ run: null, next: '11-22 03:00' });
  });

  it('back from a far future begins anew, and makes again what was made there', () => {
    const back = { now: utc('11-21 02:30') };
    const standing = { settledUntil: utc('12-24 03:00'), owedAt: utc('12-24 03:00') };
    expect(decide('0 3 * * *', standing, back)).toMatchObject({ run: null, next: '11-21 03:00' });
    expect(decideDue(rules('0 3 * * *'), standing, 'run', back).freesSlots).toBe(true);
    const near = { settledUntil: utc('11-21 03:00') };
    expect(decideDue(rules('0 3 * * *'), near, 'run', back).freesSlots).toBe(false);
  });

  it('to and fro, minute by minute, makes each run once and loses none', () => {
    const jump = fc.record({ atMinute: fc.integer({ min: 1, max: 3000 }), hours: fc.constantFrom(-1, 1) });
    fc.assert(
      fc.property(
        jump,
        fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined }),
        fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '17 3 * * *', '59 2 * * *'),
        fc.constantFrom<CatchUp>('run', 'skip'),
        (jumped, minutesUntilBack, cron, catchUp) => {
          const every = rules(cron);
          const start = utc('11-20 00:00');
          let [standing, watchedSince, offset]: [Standing, number, number] = [
            { settledUntil: start },
            start,
            0,
          ];
          const made = new Set<number>();
          const seen = new Set<number>();
          for (let tick = 1; tick < 3 * 24 * 60; tick += 1) {
            if (tick === jumped.atMinute) offset = jumped.hours * HOUR_MS;
            if (tick === jumped.atMinute + (minutesUntilBack ?? Number.NaN)) offset = 0;
            const now = start + tick * MINUTE_MS + offset;
            const decided = decideDue(every, standing, catchUp, { now, watchedSince });
            expect(decided.missed).toBeUndefined();
            // The key of a backup's row is what keeps a run from being made twice.
            if (decided.runAt !== undefined) made.add(decided.runAt);
            seen.add(now);
            standing = decided;
            watchedSince = now;
          }
          // Every minute that the wall showed has its run; those over which it jumped may have one for all of them.
          const lost = [...seen].filter((at) => nextRun(every, at - 1).at === at && !made.has(at));
          expect(lost.map(text)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe('other rules', () => {
  const change = (cron: string | RunRules, settled: string, now: string, catchUp: CatchUp = 'run') => {
    const made = typeof cron === 'string' ? rules(cron) : cron;
    const decided = settleBeforeChange(made, { settledUntil: utc(settled) }, catchUp, { now: utc(now) });
    return {
      owed: decided.owedAt === undefined ? null : text(decided.owedAt),
      missed: decided.missed?.count ?? 0,
      settled: text(decided.settledUntil),
    };
  };

  it.each<[string, RunRules, string, string, { owed: string | null; missed: number }]>([
    [
      'owe a run that has just come',
      rules('0 3 * * *'),
      '11-20 03:00',
      '11-21 03:00',
      { owed: '11-21 03:00', missed: 0 },
    ],
    ['owe nothing else', rules('0 3 * * *'), '11-20 03:00', '11-21 02:59', { owed: null, missed: 0 }],
    [
      'tell of what was missed',
      rules('0 3 * * *'),
      '11-18 03:00',
      '11-21 09:00',
      { owed: '11-21 03:00', missed: 3 },
    ],
    [
      'owe what a blackout puts off',
      rules('0 9 * * *', { blackouts: [{ from: '08:00', to: '18:00' }] }),
      '11-20 18:00',
      '11-21 10:00',
      { owed: '11-21 09:00', missed: 0 },
    ],
  ])('%s', (_, made, settled, now, expected) => {
    expect(change(made, settled, now)).toEqual({ ...expected, settled: now });
  });

  it('owe a run whose jitter is not over', () => {
    const made = rules('0 3 * * *', { jitterMs: 600_000 });
    expect(nextRun(made, utc('11-21 00:00')).dueAt).toBeGreaterThan(utc('11-21 03:01'));
    expect(change(made, '11-20 03:00', '11-21 03:01')).toMatchObject({ owed: '11-21 03:00', missed: 0 });
  });

  it('owe no missed run where none is made up for', () => {
    expect(change('0 3 * * *', '11-18 03:00', '11-21 09:00', 'skip')).toMatchObject({
      owed: null,
      missed: 3,
    });
  });
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

  it('also holds a run that is late; that it was missed is told at once', () => {
    const made = rules('0 3 * * *', { blackouts: [office] });
    expect(decide(made, '11-19 03:00', { now: utc('11-20 09:00') })).toEqual({
      run: null,
      owed: '11-20 03:00',
      caughtUp: true,
      missed: 1,
      settled: '11-20 03:00',
      next: '11-20 18:00',
    });
    const held = { settledUntil: utc('11-20 03:00'), owedAt: utc('11-20 03:00') };
    expect(decide(made, held, { now: utc('11-20 17:59') })).toMatchObject({ run: null, owed: '11-20 03:00' });
    expect(decide(made, held, { now: utc('11-20 18:00') })).toEqual({
      run: '11-20 03:00',
      caughtUp: false,
      missed: 0,
      settled: '11-20 03:00',
      next: '11-21 03:00',
    });
  });

  it('gives one run for what it holds and what comes at its end', () => {
    const made = rules('0 */3 * * *', { blackouts: [office] });
    const held = { settledUntil: utc('11-20 06:00'), owedAt: utc('11-20 06:00') };
    expect(decide(made, held, { now: utc('11-20 18:00') })).toMatchObject({ run: '11-20 18:00', missed: 0 });
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
