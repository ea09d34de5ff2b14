import { describe, expect, it } from 'vitest';

import { RetentionInvalidError } from './databases.errors.js';
import { completePolicy, keepsAll, mergeRetention, type RetentionSettings } from './retention-policy.js';

const DEFAULTS = { retentionDays: 30, maxBackups: 100 };

describe('the policy that counts', () => {
  it.each<[string, RetentionSettings, number | null, number | null]>([
    ['nothing is set: the service has limits', {}, 30, 100],
    ['a calendar alone goes with the limits of the service', { keepMonthly: 12 }, 30, 100],
    ['one limit of its own is all that limits', { maxBackups: 500 }, null, 500],
    ['one limit of its own is all that limits', { retentionDays: 7 }, 7, null],
    ['a limit that was taken away is no limit', { retentionDays: null }, null, null],
    ['both are set', { retentionDays: 7, maxBackups: 5 }, 7, 5],
  ])('%s (%j)', (_, settings, retentionDays, maxBackups) => {
    expect(completePolicy(settings, DEFAULTS)).toMatchObject({ retentionDays, maxBackups, minBackups: 0 });
  });

  it('keeps all when it has no rule but a floor', () => {
    const none = { retentionDays: null, maxBackups: null };
    expect(keepsAll(completePolicy({ minBackups: 3 }, none))).toBe(true);
    expect(keepsAll(completePolicy({ keepYearly: 1 }, none))).toBe(false);
  });
});

describe('a change of the settings', () => {
  it('leaves the rest, takes limits away by null, and brings other rules back to their default', () => {
    const settings = { retentionDays: 7, keepDaily: 7, keepYearly: 2 };
    expect(mergeRetention(settings, { retentionDays: null, keepDaily: null, maxBackups: 3 })).toEqual({
      retentionDays: null,
      maxBackups: 3,
      keepYearly: 2,
    });
    expect(settings).toEqual({ retentionDays: 7, keepDaily: 7, keepYearly: 2 });
  });

  it.each([
    [{ retentionDays: 0 }, /retention_days must be .* from 1 .*not 0; 0 would delete every backup.*null/],
    [{ retentionDays: -3 }, /retention_days must be .*not -3/],
    [{ retentionDays: 1.5 }, /retention_days must be a whole number/],
    [{ maxBackups: 0 }, /max_backups must be .* from 1 .*0 would delete every backup/],
    [{ minBackups: -1 }, /min_backups must be .* from 0/],
    [{ keepDaily: -1 }, /keep_daily must be .*not -1; 0 takes the rule away/],
    [{ keepHourly: 1e9 }, /keep_hourly must be a whole number from 0 to 100000/],
    [{ minBackups: 5, maxBackups: 4 }, /min_backups is 5, more than max_backups, 4/],
  ])('%j is refused', (changes, reason) => {
    expect(() => mergeRetention({}, changes)).toThrow(RetentionInvalidError);
    expect(() => mergeRetention({}, changes)).toThrow(reason);
  });
});
