import type { RetentionPolicy } from '../databases/retention-policy.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Keep = 'keepHourly' | 'keepDaily' | 'keepWeekly' | 'keepMonthly' | 'keepYearly';

/** A number for the period in which a local time lies; equal for two times of the same period, and growing. */
const PERIODS: readonly { rule: Keep; word: string; of: (local: number) => number }[] = [
  { rule: 'keepHourly', word: 'hourly', of: (local) => Math.floor(local / HOUR_MS) },
  { rule: 'keepDaily', word: 'daily', of: (local) => Math.floor(local / DAY_MS) },
  // 1 January 1970 was a Thursday; weeks begin on Monday, as in ISO 8601.
  { rule: 'keepWeekly', word: 'weekly', of: (local) => Math.floor((Math.floor(local / DAY_MS) + 3) / 7) },
  { rule: 'keepMonthly', word: 'monthly', of: monthOf },
  { rule: 'keepYearly', word: 'yearly', of: (local) => new Date(local).getUTCFullYear() },
];

/**
 * The newest backup of each of the last so many hours, days, … in which there is one. Periods are counted from the newest backup back
 * and empty ones do not count, so a database that is no longer backed up loses nothing to the calendar.
 * @param localTimes newest first, in local milliseconds (see `TimeZone.toLocal`)
 * @returns indices into `localTimes`, each with its reason, such as `daily 3 of 7`
 */
export function choosePeriods(
  policy: Pick<RetentionPolicy, Keep>,
  localTimes: readonly number[],
): { index: number; reason: string }[] {
  const chosen: { index: number; reason: string }[] = [];
  for (const { rule, word, of } of PERIODS) {
    const wanted = policy[rule];
    // A set, not only the one before: where a clock is put back over midnight, a day comes again.
    const seen = new Set<number>();
    for (let index = 0; index < localTimes.length && seen.size < wanted; index += 1) {
      const period = of(localTimes[index] ?? 0);
      if (seen.has(period)) continue;
      seen.add(period);
      chosen.push({ index, reason: `${word} ${seen.size} of ${wanted}` });
    }
  }
  return chosen;
}

function monthOf(local: number): number {
  const date = new Date(local);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}
