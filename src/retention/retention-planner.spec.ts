import { describe, expect, it } from 'vitest';

import { TimeZone } from '../clock/time-zone.js';
import { completePolicy, type RetentionSettings } from '../databases/retention-policy.js';
import { type Decision, type PlannedBackup, planRetention } from './retention-planner.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const UTC = TimeZone.of('UTC');
const policyOf = (settings: RetentionSettings) =>
  completePolicy(settings, { retentionDays: null, maxBackups: null });

/** A good, merely stored backup that was taken at a time of 2026, such as `11-20T03`. Its id is that text. */
function at(text: string, more: Partial<PlannedBackup> = {}): PlannedBackup {
  const takenAt = Date.parse(`2026-${text.padEnd(8, 'T03').slice(0, 8)}:00:00Z`);
  const base = { id: text, status: 'completed', locked: false, evidenceLevel: 0, isGood: true } as const;
  return { ...base, takenAt, endedAt: takenAt + 60_000, ...more };
}

function plan(settings: RetentionSettings, backups: PlannedBackup[], zone = UTC): Decision[] {
  return planRetention(policyOf(settings), backups, NOW, zone);
}
const kept = (decisions: Decision[]): string[] => decisions.filter(({ keep }) => keep).map(({ id }) => id);
const reasonsOf = (decisions: Decision[], id: string): string[] =>
  decisions.find((decision) => decision.id === id)?.reasons ?? [];

describe('limits', () => {
  it('without a rule everything is kept, and says so', () => {
    const decisions = plan({ minBackups: 1 }, [at('01-01'), at('11-20')]);
    expect(kept(decisions)).toEqual(['11-20', '01-01']);
    expect(reasonsOf(decisions, '01-01')).toEqual(['no rule deletes anything']);
  });

  it('age counts from when the data was read, to the second', () => {
    const limit = NOW.getTime() - 7 * 86_400_000;
    const decisions = plan({ retentionDays: 7 }, [
      at('11-21'),
      at('11-14T12', { id: 'on the limit', takenAt: limit }),
      at('11-14T12', { id: 'past it', takenAt: limit - 1 }),
    ]);
    expect(kept(decisions)).toEqual(['11-21', 'on the limit']);
    expect(reasonsOf(decisions, 'past it')).toEqual(['older than 7 days']);
    expect(reasonsOf(decisions, 'on the limit')).toEqual(['within 7 days']);
  });

  it('a number keeps the newest', () => {
    const decisions = plan({ maxBackups: 2 }, [at('11-18'), at('11-20'), at('11-19')]);
    expect(kept(decisions)).toEqual(['11-20', '11-19']);
    expect(reasonsOf(decisions, '11-18')).toEqual(['max_backups: 2 newer ones exist']);
  });

  it('both limits hold', () => {
    const backups = [at('11-20'), at('11-19'), at('11-18'), at('10-01')];
    expect(kept(plan({ retentionDays: 7, maxBackups: 2 }, backups))).toEqual(['11-20', '11-19']);
    expect(kept(plan({ retentionDays: 7, maxBackups: 9 }, backups))).toEqual(['11-20', '11-19', '11-18']);
  });

  it('a backup with an age limit of its own goes by that', () => {
    const backups = [at('11-20'), at('11-10', { retentionDays: 30 }), at('11-19', { retentionDays: 1 })];
    const decisions = plan({ retentionDays: 7 }, backups);
    expect(kept(decisions)).toEqual(['11-20', '11-10']);
    expect(reasonsOf(decisions, '11-10')).toEqual(['within its own 30 days']);
    expect(reasonsOf(decisions, '11-19')).toEqual(['older than its own 1 day']);
  });

  describe('an age limit of its own', () => {
    const own = (retentionDays: number) => ({ retentionDays });

    it('keeps for so long whatever newer ones there are, and fills a place like any other', () => {
      const backups = [at('11-20'), at('11-19', own(30)), at('11-18'), at('11-17'), at('09-01', own(30))];
      const decisions = plan({ maxBackups: 2 }, backups);
      expect(kept(decisions)).toEqual(['11-20', '11-19']);
      expect(kept(plan({ maxBackups: 1 }, backups))).toEqual(['11-20', '11-19']);
      expect(reasonsOf(decisions, '11-19')).toEqual(['within its own 30 days']);
      expect(reasonsOf(decisions, '09-01')).toEqual(['older than its own 30 days']);
    });

    it('lets go where no rule of the policy does', () => {
      expect(kept(plan({}, [at('11-20'), at('11-18', own(1)), at('10-01')]))).toEqual(['11-20', '10-01']);
    });

    it.each<[string, string[], string[]]>([
      ['the newest completed', ['01-03'], ['01-03']],
      ['the newest of the highest evidence', ['11-20', '01-02*'], ['11-20', '01-02*']],
    ])('never lets go of %s', (_name, days, expected) => {
      const backups = days.map((day) =>
        at(day.replace('*', ''), { ...own(1), id: day, evidenceLevel: day.endsWith('*') ? 4 : 0 }),
      );
      expect(kept(plan({}, backups))).toEqual(expected);
    });

    it('is below min_backups, locks, the calendar and failing backups', () => {
      const old = [at('11-20'), at('01-02', own(1)), at('01-01', own(1))];
      expect(kept(plan({ minBackups: 2 }, old))).toEqual(['11-20', '01-02']);
      expect(kept(plan({ keepMonthly: 2 }, old))).toEqual(['11-20', '01-02']);
      expect(kept(plan({}, [...old, at('01-04', { ...own(1), locked: true })]))).toEqual(['11-20', '01-04']);
      const failing = plan({}, [...old, at('11-21', { id: 'x', status: 'failed' })]);
      expect(kept(failing)).toEqual(['11-20', '01-02', '01-01']);
      expect(reasonsOf(failing, '01-02')).toEqual([
        "older than its own 1 day, but the database's backups are failing",
      ]);
    });

    it('counts also where the policy of a schedule would', () => {
      const policies = new Map([['s', policyOf({ maxBackups: 1 })]]);
      const backups = [at('11-20', { scheduleId: 's' }), at('11-19', { scheduleId: 's', ...own(5) })];
      expect(kept(planRetention(policyOf({}), backups, NOW, UTC, policies))).toEqual(['11-20', '11-19']);
    });
  });

  it('what a schedule with a policy of its own made goes by that, and the floors stay those of the database', () => {
    const backups = [at('11-20', { scheduleId: 's' }), at('11-19', { scheduleId: 's' }), at('10-01')];
    const own = new Map([['s', policyOf({ maxBackups: 1 })]]);
    expect(kept(planRetention(policyOf({}), backups, NOW, UTC, own))).toEqual(['11-20', '10-01']);
    expect(kept(planRetention(policyOf({ minBackups: 3 }), backups, NOW, UTC, own))).toHaveLength(3);
  });
});

describe('the calendar', () => {
  it('keeps the newest of each period, whatever the limits say', () => {
    const backups = ['11-20T03', '11-20T15', '11-19T15', '11-19T03', '10-31T03', '10-30T03', '09-01T03'];
    const decisions = plan(
      { retentionDays: 1, keepDaily: 2, keepMonthly: 3 },
      backups.map((text) => at(text)),
    );
    expect(kept(decisions)).toEqual(['11-20T15', '11-19T15', '10-31T03', '09-01T03']);
    expect(reasonsOf(decisions, '11-19T15')).toEqual(['daily 2 of 2']);
    expect(reasonsOf(decisions, '10-31T03')).toEqual(['monthly 2 of 3']);
    expect(reasonsOf(decisions, '11-19T03')).toEqual(['older than 1 day']);
  });

  it('alone, deletes what no rule needs', () => {
    const decisions = plan({ keepDaily: 1 }, [at('11-20T15'), at('11-20T03'), at('11-19T03')]);
    expect(kept(decisions)).toEqual(['11-20T15']);
    expect(reasonsOf(decisions, '11-20T03')).toEqual(['no keep_ rule needs it']);
  });

  it.each([
    ['UTC', ['11-20T20', '11-19T16']],
    ['Asia/Jakarta', ['11-20T20', '11-20T16']],
  ])('has its days in the zone: %s', (zone, expected) => {
    const backups = [at('11-20T20'), at('11-20T16'), at('11-19T16')];
    expect(kept(plan({ keepDaily: 2 }, backups, TimeZone.of(zone)))).toEqual(expected);
  });

  it('has weeks that begin on Monday, hours and years', () => {
    // 15 November 2026 is a Sunday.
    const backups = [at('11-16T00'), at('11-15T23'), at('11-15T01'), at('11-09T01'), at('01-01T00')];
    expect(kept(plan({ keepWeekly: 2 }, backups))).toEqual(['11-16T00', '11-15T23']);
    expect(kept(plan({ keepYearly: 2 }, backups))).toEqual(['11-16T00']);
    expect(kept(plan({ keepHourly: 2 }, backups))).toEqual(['11-16T00', '11-15T23']);
  });

  it('passes over empty periods and damaged backups', () => {
    const backups = [at('11-20'), at('11-19T15', { isGood: false }), at('11-19T03'), at('02-01')];
    expect(kept(plan({ keepDaily: 3 }, backups))).toEqual(['11-20', '11-19T03', '02-01']);
  });
});

describe('the floors', () => {
  const old = [at('01-03'), at('01-02'), at('01-01')];

  it('the newest completed backup stays', () => {
    const decisions = plan({ retentionDays: 1 }, old);
    expect(kept(decisions)).toEqual(['01-03']);
    expect(reasonsOf(decisions, '01-03')).toEqual(['newest completed', 'newest stored']);
  });

  it('the newest of the highest evidence stays', () => {
    const backups = [at('11-20'), at('01-02', { evidenceLevel: 4 }), at('01-01', { evidenceLevel: 4 })];
    const decisions = plan({ retentionDays: 1 }, backups);
    expect(kept(decisions)).toEqual(['11-20', '01-02']);
    expect(reasonsOf(decisions, '01-02')).toEqual(['newest proven']);
  });

  it('a locked one stays, and fills a place like any other', () => {
    const decisions = plan({ maxBackups: 1 }, [at('11-20'), at('11-19', { locked: true })]);
    expect(reasonsOf(decisions, '11-19')).toEqual(['locked']);
  });

  it('so many good ones as min_backups says stay', () => {
    const decisions = plan({ retentionDays: 1, minBackups: 2 }, old);
    expect(kept(decisions)).toEqual(['01-03', '01-02']);
    expect(reasonsOf(decisions, '01-02')).toEqual(['min_backups: 2']);
  });

  it('a damaged one counts for no floor and fills no place', () => {
    const backups = [at('11-20', { isGood: false }), at('11-19'), at('11-18'), at('11-17')];
    const decisions = plan({ maxBackups: 1 }, backups);
    expect(kept(decisions)).toEqual(['11-20', '11-19']);
    expect(reasonsOf(decisions, '11-19')).toEqual(['one of the newest 1', 'newest good', 'newest stored']);
    expect(kept(plan({ retentionDays: 1, minBackups: 2 }, backups))).toEqual(['11-20', '11-19', '11-18']);
  });

  it('when all are damaged, the newest stays as what there is', () => {
    const damaged = old.map((backup) => ({ ...backup, isGood: false }));
    expect(kept(plan({ retentionDays: 1 }, damaged))).toEqual(['01-03']);
  });

  it('age deletes nothing while backups are failing', () => {
    const failed = at('11-20', { id: 'x', status: 'failed' });
    const decisions = plan({ retentionDays: 1 }, [...old, failed]);
    expect(kept(decisions)).toEqual(['01-03', '01-02', '01-01']);
    expect(reasonsOf(decisions, '01-01')).toEqual([
      "older than 1 day, but the database's backups are failing",
    ]);
    expect(kept(plan({ retentionDays: 1 }, [...old, failed, at('11-21')]))).toEqual(['11-21']);
    expect(kept(plan({ retentionDays: 1, maxBackups: 2 }, [...old, failed]))).toEqual(['01-03', '01-02']);
  });
});
