import fc from 'fast-check';
import { expect, it } from 'vitest';

import { TimeZone } from '../clock/time-zone.js';
import { completePolicy, type RetentionPolicy } from '../databases/retention-policy.js';
import { type PlannedBackup, planRetention } from './retention-planner.js';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');

const few = fc.integer({ min: 0, max: 4 });
const limit = fc.option(fc.integer({ min: 1, max: 20 }), { nil: null });
const policies: fc.Arbitrary<RetentionPolicy> = fc
  .record({
    retentionDays: limit,
    maxBackups: limit,
    minBackups: few,
    keepHourly: few,
    keepDaily: few,
    keepWeekly: few,
    keepMonthly: few,
    keepYearly: few,
  })
  // As often one rule alone, so that it is seen to do harm where it could.
  .chain((all) =>
    fc.constantFrom(
      all,
      completePolicy({ retentionDays: 1, minBackups: all.minBackups }, all),
      completePolicy({ maxBackups: 1, minBackups: all.minBackups }, all),
      completePolicy({ retentionDays: null, keepDaily: 1 }, all),
      completePolicy({ retentionDays: null, minBackups: all.minBackups }, all),
    ),
  );

/** What happens to a database in its life. `which` picks one of the backups that are there. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('completes' as const),
      hours: fc.integer({ min: 0, max: 99 }),
      // One in four has an age limit of its own.
      ownDays: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null, freq: 1 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fails' as const), hours: fc.integer({ min: 0, max: 2000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('passes' as const), hours: fc.integer({ min: 0, max: 5000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('locks', 'unlocks', 'breaks' as const), which: fc.nat() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('proves' as const),
      which: fc.nat(),
      level: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sweeps' as const), policy: policies }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** One database with its backups; deletion is done as planned, and every floor is looked at with other eyes than the planner's. */
class History {
  #now = START;
  #backups: PlannedBackup[] = [];
  deleted = 0;

  play(step: Happening): void {
    if (step.kind === 'sweeps') return this.#sweep(step.policy);
    if ('hours' in step) {
      this.#now += step.hours * HOUR_MS + 1;
      if (step.kind === 'completes') this.#add('completed', step.ownDays);
      else if (step.kind === 'fails') this.#add('failed', null);
      return;
    }
    const completed = this.#completed();
    const backup = completed[step.which % Math.max(1, completed.length)];
    if (backup === undefined) return;
    if (step.kind === 'proves') backup.evidenceLevel = Math.max(backup.evidenceLevel, step.level);
    else if (step.kind === 'breaks') [backup.isGood, backup.evidenceLevel] = [false, 0];
    else backup.locked = step.kind === 'locks';
  }

  #add(status: 'completed' | 'failed', retentionDays: number | null): void {
    const takenAt = this.#now;
    const id = String(this.#backups.length + this.deleted);
    this.#backups.push({
      id,
      status,
      takenAt,
      endedAt: takenAt,
      locked: false,
      evidenceLevel: 0,
      isGood: true,
      retentionDays,
    });
  }

  #completed(): PlannedBackup[] {
    return this.#backups.filter(({ status }) => status === 'completed');
  }

  #sweep(policy: RetentionPolicy): void {
    const before = this.#completed();
    const failing = this.#backups.at(-1)?.status === 'failed';
    const decisions = planRetention(policy, this.#backups, new Date(this.#now), TimeZone.of('Europe/Berlin'));
    expect(decisions.map(({ id }) => id)).toEqual(before.map(({ id }) => id).toReversed());
    for (const { reasons } of decisions) expect(reasons.length).toBeGreaterThan(0);
    const gone = new Set(decisions.filter(({ keep }) => !keep).map(({ id }) => id));
    this.#backups = this.#backups.filter(({ id }) => !gone.has(id));
    this.deleted += gone.size;
    const after = new Set(this.#completed());
    const lost = before.filter((backup) => !after.has(backup));

    expect(lost.filter(({ locked }) => locked)).toEqual([]);
    expect(lost).not.toContain(before.at(-1));
    const good = before.filter(({ isGood }) => isGood);
    expect(lost).not.toContain(good.at(-1));
    const pool = good.length > 0 ? good : before;
    const highest = Math.max(...pool.map(({ evidenceLevel }) => evidenceLevel));
    expect(lost).not.toContain(pool.findLast(({ evidenceLevel }) => evidenceLevel === highest));
    const goodLeft = good.filter((backup) => after.has(backup)).length;
    expect(goodLeft).toBeGreaterThanOrEqual(Math.min(policy.minBackups, good.length));
    if (good.length < policy.minBackups) expect(lost).toEqual([]);
    const onlyAge = policy.retentionDays !== null && policy.maxBackups === null;
    if (failing && onlyAge) expect(lost).toEqual([]);
    const noRule = { ...policy, minBackups: 0 };
    const ruled = lost.filter(({ retentionDays }) => retentionDays === null);
    if (Object.values(noRule).every((rule) => rule === null || rule === 0)) expect(ruled).toEqual([]);
    // Nobody loses what is to be kept for so many days before they are over.
    for (const { takenAt, retentionDays } of lost) {
      if (typeof retentionDays === 'number') {
        expect(this.#now - takenAt).toBeGreaterThan(retentionDays * 24 * HOUR_MS);
      }
    }
  }
}

it('no sequence of policies over any history gets below a floor', () => {
  let deleted = 0;
  fc.assert(
    fc.property(fc.array(happening, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
      const history = new History();
      for (const step of steps) history.play(step);
      deleted += history.deleted;
    }),
    { numRuns: 1500 },
  );
  // The property would hold for a planner that never deletes.
  expect(deleted).toBeGreaterThan(5000);
}, 60_000);
