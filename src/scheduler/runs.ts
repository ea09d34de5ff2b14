import type { TimeZone } from '../clock/time-zone.js';
import { afterBlackout, type BlackoutWeek } from './blackouts.js';
import { nextSlot, type Slot, type Timing } from './slots.js';

/** Everything that decides when a schedule runs. */
export interface RunRules {
  /** The schedule's id: it gives each schedule its own jitter. */
  key: string;
  timing: Timing;
  zone: TimeZone;
  blackouts?: BlackoutWeek | undefined;
  jitterMs: number;
}

/** One run that a schedule has to make. Times are in milliseconds since 1970. */
export interface Run {
  /** The run's name: no schedule has two of the same. Its slot, or the end of the blackout in which that lies. */
  at: number;
  /** When it begins: `at` and its jitter. */
  dueAt: number;
  slot: Slot;
}

/** The first run after the one called `after`. Slots that one blackout puts off are one run at its end, with any slot there. */
export function nextRun(rules: RunRules, after: number): Run {
  const slot = nextSlot(rules.timing, after);
  const at = rules.blackouts === undefined ? slot.at : afterBlackout(rules.blackouts, rules.zone, slot.at);
  return { at, dueAt: at + jitterOf(rules, at), slot };
}

/** The runs after `after` that are due at `until`, oldest first, at most `most` of them. */
export function runsDue(rules: RunRules, after: number, until: number, most: number): Run[] {
  const runs: Run[] = [];
  for (let at = after; runs.length < most;) {
    const run = nextRun(rules, at);
    if (run.dueAt > until) break;
    runs.push(run);
    at = run.at;
  }
  return runs;
}

/**
 * The newest run that is due at `until`, looked for from there backwards: a service that was away for a year must not go through
 * half a million minutes. Undefined when none has been since `after`.
 */
export function newestRunDue(rules: RunRules, after: number, until: number): Run | undefined {
  for (let spanMs = 3_600_000; ; spanMs *= 2) {
    const from = Math.max(after, until - rules.jitterMs - spanMs);
    let newest: Run | undefined;
    for (let run = nextRun(rules, from); run.dueAt <= until; run = nextRun(rules, run.at)) newest = run;
    if (newest !== undefined || from === after) return newest;
  }
}

/** The same for everybody who asks, so that two tickers agree; spread evenly over whole seconds. */
function jitterOf({ key, jitterMs }: RunRules, at: number): number {
  if (jitterMs === 0) return 0;
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const letter of `${key}@${at}`)
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return (hash % (Math.floor(jitterMs / 1000) + 1)) * 1000;
}
