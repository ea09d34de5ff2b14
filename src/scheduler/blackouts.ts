import type { TimeZone } from '../clock/time-zone.js';

/** Days of the week as a blackout names them; the index counts from Sunday. */
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A time of day in which no backup begins. It ends on the day after when `to` is not after `from`. */
export interface Blackout {
  /** On which it begins; every day when left out. */
  days?: Weekday[];
  /** `HH:MM` */
  from: string;
  /** `HH:MM`, up to `24:00` */
  to: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
/** Local time 0, 1 January 1970, was a Thursday. */
const FIRST_WEEKDAY = 4;

/** All minutes of a local week, Sunday 00:00 first, with 1 for those in which no backup may begin. */
export type BlackoutWeek = Uint8Array;

export function toBlackoutWeek(blackouts: readonly Blackout[]): BlackoutWeek {
  const week = new Uint8Array(WEEK_MINUTES);
  for (const { days = WEEKDAYS, from, to } of blackouts) {
    const [start, end] = [minutesOf(from), minutesOf(to)];
    const length = end > start ? end - start : end + DAY_MINUTES - start;
    for (const day of days) {
      const first = WEEKDAYS.indexOf(day) * DAY_MINUTES + start;
      for (let minute = first; minute < first + length; minute += 1) week[minute % WEEK_MINUTES] = 1;
    }
  }
  return week;
}

/** Whether no minute of the week is left for a backup. */
export function coversAll(week: BlackoutWeek): boolean {
  return week.every((blocked) => blocked === 1);
}

/**
 * `at` itself when a backup may begin then; else the moment at which the blackout is over. It goes by minutes of real time, so that
 * a change of the clock inside of a blackout makes it neither begin again nor end in the past.
 */
export function afterBlackout(week: BlackoutWeek, zone: TimeZone, at: number): number {
  if (!isBlocked(week, zone, at)) return at;
  const nextMinute = Math.floor(at / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  for (let minute = nextMinute; minute <= at + 2 * WEEK_MINUTES * MINUTE_MS; minute += MINUTE_MS) {
    if (!isBlocked(week, zone, minute)) return minute;
  }
  throw new Error('a blackout without an end was not refused');
}

function isBlocked(week: BlackoutWeek, zone: TimeZone, at: number): boolean {
  const localMinutes = Math.floor(zone.toLocal(at) / MINUTE_MS) + FIRST_WEEKDAY * DAY_MINUTES;
  return week[((localMinutes % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES] === 1;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
