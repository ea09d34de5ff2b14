import type { TimeZone } from '../clock/time-zone.js';
import { type CronExpression, matchesDay } from './cron-expression.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** 29 February on a Monday comes at the latest after 40 years (over 2100); further than that nothing has to be looked for. */
const FURTHEST_DAYS = 41 * 366;

/** When a schedule fires: by the clock on the wall, or every so often whatever the wall says. */
export type Timing =
  | { readonly kind: 'cron'; readonly cron: CronExpression; readonly zone: TimeZone }
  /** The first firing is one interval after `anchor`. */
  | { readonly kind: 'interval'; readonly everyMs: number; readonly anchor: number };

/** A moment at which a schedule fires, in milliseconds since 1970. */
export interface Slot {
  at: number;
  /** The local time that the expression means, as if it were UTC; equal for no two slots. */
  local?: number;
  /** `gap`: that local time does not exist, and this is the next valid instant. `fold`: it comes twice, and this is the first. */
  shift?: 'gap' | 'fold';
}

/**
 * The first slot after `after`. Slots of a timing are strictly increasing. A local time that does not exist fires at the next valid
 * instant, one that happens twice fires the first time; where several land on one instant they are one slot.
 */
export function nextSlot(timing: Timing, after: number): Slot {
  return timing.kind === 'interval' ? nextInterval(timing, after) : nextCron(timing.cron, timing.zone, after);
}

/** The slots in (`after`, `until`], at most `most` of them. */
export function slotsBetween(timing: Timing, after: number, until: number, most: number): Slot[] {
  const slots: Slot[] = [];
  for (let at = after; slots.length < most;) {
    const slot = nextSlot(timing, at);
    if (slot.at > until) break;
    slots.push(slot);
    at = slot.at;
  }
  return slots;
}

function nextInterval({ everyMs, anchor }: Timing & { kind: 'interval' }, after: number): Slot {
  const passed = Math.floor((after - anchor) / everyMs);
  return { at: anchor + Math.max(1, passed + 1) * everyMs };
}

/**
 * Goes through local days. Mapping local times to instants never turns their order round, so no slot after `after` can belong to a
 * local day before that of `after`.
 */
function nextCron(cron: CronExpression, zone: TimeZone, after: number): Slot {
  const localDay = Math.floor(zone.toLocal(after) / DAY_MS) * DAY_MS;
  for (let day = localDay, looked = 0; looked <= FURTHEST_DAYS; looked += 1) {
    const date = new Date(day);
    if (!cron.months.has(date.getUTCMonth() + 1)) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
      continue;
    }
    if (matchesDay(cron, date.getUTCDate(), date.getUTCDay())) {
      const slot = firstOfDay(cron.timesOfDay, zone, day, after);
      if (slot !== undefined) return slot;
    }
    day += DAY_MS;
  }
  throw new Error('a cron expression that never fires was not refused');
}

/** The first of the times of this local day whose instant is after `after`; they are looked up by halving. */
function firstOfDay(
  timesOfDay: readonly number[],
  zone: TimeZone,
  day: number,
  after: number,
): Slot | undefined {
  let [low, high] = [0, timesOfDay.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (zone.toInstant(day + (timesOfDay[middle] ?? 0) * MINUTE_MS).at > after) high = middle;
    else low = middle + 1;
  }
  const minutes = timesOfDay[low];
  if (minutes === undefined) return undefined;
  const local = day + minutes * MINUTE_MS;
  const { at, occurs } = zone.toInstant(local);
  if (occurs === 'once') return { at, local };
  return { at, local, shift: occurs === 'never' ? 'gap' : 'fold' };
}
