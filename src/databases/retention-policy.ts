import { RetentionInvalidError } from './databases.errors.js';

/** What retention keeps, complete. `null` and 0 mean that the rule is not there; without any rule everything is kept. */
export interface RetentionPolicy {
  /** Limit: backups older than so many days (of 24 hours) go. */
  retentionDays: number | null;
  /** Limit: backups with so many newer ones go. */
  maxBackups: number | null;
  /** Floor: whatever else is said, so many stay. */
  minBackups: number;
  /** The newest backup of each of the last so many hours, days, … that have one stays, whatever the limits say. */
  keepHourly: number;
  keepDaily: number;
  keepWeekly: number;
  keepMonthly: number;
  keepYearly: number;
}

/** What somebody has set of a policy. A limit that is `null` was taken away; what is absent has its default. */
export type RetentionSettings = Partial<RetentionPolicy>;

/** Changes to settings: absent leaves as it is. `null` takes a limit away, and everything else back to its default. */
export type RetentionChanges = { [Rule in keyof RetentionPolicy]?: number | null | undefined };

/** The service's own limits, for who sets neither limit. */
export type DefaultLimits = Pick<RetentionPolicy, 'retentionDays' | 'maxBackups'>;

export const KEEPS = ['keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;

const LIMITS = ['retentionDays', 'maxBackups'] as const;
export const RULES = [
  ...LIMITS,
  'minBackups',
  ...KEEPS,
] as const satisfies readonly (keyof RetentionPolicy)[];

/** Rules in the words of the API. */
export const RULE_NAMES = {
  retentionDays: 'retention_days',
  maxBackups: 'max_backups',
  minBackups: 'min_backups',
  keepHourly: 'keep_hourly',
  keepDaily: 'keep_daily',
  keepWeekly: 'keep_weekly',
  keepMonthly: 'keep_monthly',
  keepYearly: 'keep_yearly',
} as const satisfies Record<keyof RetentionPolicy, string>;

/** A century, and more backups than anybody will have: a slip of the finger is told from a wish. */
const MOST: Partial<Record<keyof RetentionPolicy, number>> = { retentionDays: 36_500, maxBackups: 1_000_000 };
const MOST_KEPT = 100_000;

/**
 * The policy that counts. The two limits go together: whoever sets one of them, if only to `null`, has said what is deleted, and the
 * service's own do not come on top of it.
 */
export function completePolicy(settings: RetentionSettings, defaults: DefaultLimits): RetentionPolicy {
  const setsLimit = LIMITS.some((limit) => settings[limit] !== undefined);
  const { retentionDays, maxBackups } = setsLimit ? { retentionDays: null, maxBackups: null } : defaults;
  const none = { keepHourly: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };
  return { retentionDays, maxBackups, minBackups: 0, ...none, ...settings };
}

/** Whether no rule can ever delete anything. */
export function keepsAll(policy: RetentionPolicy): boolean {
  return (
    policy.retentionDays === null && policy.maxBackups === null && KEEPS.every((rule) => policy[rule] === 0)
  );
}

/** @throws RetentionInvalidError for the first rule that cannot be */
export function mergeRetention(settings: RetentionSettings, changes: RetentionChanges): RetentionSettings {
  const merged: RetentionSettings = { ...settings };
  for (const rule of RULES) {
    const value = changes[rule];
    if (value === undefined) continue;
    if (value !== null) {
      checkRule(rule, value);
      merged[rule] = value;
    } else if (rule === 'retentionDays' || rule === 'maxBackups') merged[rule] = null;
    else delete merged[rule];
  }
  const { minBackups = 0, maxBackups } = merged;
  if (typeof maxBackups === 'number' && minBackups > maxBackups) {
    throw new RetentionInvalidError(
      'min_backups',
      `is ${minBackups}, more than max_backups, ${maxBackups}: the first would always win`,
    );
  }
  return merged;
}

function checkRule(rule: keyof RetentionPolicy, value: number): void {
  const isLimit = rule === 'retentionDays' || rule === 'maxBackups';
  const [least, most] = [isLimit ? 1 : 0, MOST[rule] ?? MOST_KEPT];
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const hint = isLimit
    ? '; 0 would delete every backup. To set no such limit, give null'
    : '; 0 takes the rule away';
  throw new RetentionInvalidError(
    RULE_NAMES[rule],
    `must be a whole number from ${least} to ${most}, not ${value}${value < 1 ? hint : ''}`,
  );
}
