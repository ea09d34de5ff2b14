import { afterBlackout } from './blackouts.js';
import { newestRunDue, nextRun, type Run, type RunRules, runsDue } from './runs.js';
import type { CatchUp } from './schedule.entity.js';

/** A run that begins so much after its time is still on time: a restart, a busy minute. */
export const ON_TIME_MS = 5 * 60_000;
/**
 * A schedule that is settled further ahead of now than this was run by a clock that has been put back since. An hour ahead it waits
 * for the clock to come again, so that no run is doubled; it would be wrong to wait for a year.
 */
export const FURTHEST_AHEAD_MS = 2 * 3_600_000;
/** So many missed runs are counted; of more it is only known that they were more. */
const MOST_COUNTED = 1000;

/** Runs that did not begin in their time. */
export interface MissedRuns {
  count: number;
  first: number;
  last: number;
}

/** What is to be done for one schedule now. */
export interface DueRuns {
  /** To be made now. */
  run?: Run;
  /** Whether `run` makes up for a missed one. */
  caughtUp: boolean;
  missed?: MissedRuns;
  settledUntil: number;
  /** When to look again. */
  nextRunAt: number;
}

/** What is known of the time that has passed. */
export interface Watch {
  now: number;
  /**
   * Since when this process has looked every minute, on the clock as it was then; undefined when it has just begun to. What came due
   * since then came due before its eyes, however far the clock has jumped: that is no reason to call it late.
   */
  watchedSince?: number | undefined;
}

/**
 * Decides about all runs that have come due since `settledUntil`: the newest is made, when it is on time, or late and `catchUp` says
 * so; those before it are not, and are called missed as far as they were due while nobody looked.
 */
export function decideDue(rules: RunRules, settledUntil: number, catchUp: CatchUp, watch: Watch): DueRuns {
  const { now } = watch;
  if (settledUntil > now + FURTHEST_AHEAD_MS) return wait(rules, now);
  const due = runsDue(rules, settledUntil, now, MOST_COUNTED);
  const newest = due.length < MOST_COUNTED ? due.at(-1) : newestRunDue(rules, settledUntil, now);
  if (newest === undefined) return wait(rules, settledUntil);
  const blackoutEnd = rules.blackouts && afterBlackout(rules.blackouts, rules.zone, now);
  // A late run is no reason to break a blackout either. Nothing is decided until it is over.
  if (blackoutEnd !== undefined && blackoutEnd > now)
    return { caughtUp: false, settledUntil, nextRunAt: blackoutEnd };
  const missed = due.filter((run) => !isOnTime(run, watch));
  const newestIsLate = !isOnTime(newest, watch);
  const isRun = !newestIsLate || catchUp === 'run';
  return {
    ...(isRun && { run: newest }),
    caughtUp: isRun && newestIsLate,
    ...(missed.length > 0 && {
      missed: { count: missed.length, first: missed[0]?.at ?? now, last: missed.at(-1)?.at ?? now },
    }),
    settledUntil: newest.at,
    nextRunAt: nextRun(rules, newest.at).dueAt,
  };
}

function wait(rules: RunRules, settledUntil: number): DueRuns {
  return { caughtUp: false, settledUntil, nextRunAt: nextRun(rules, settledUntil).dueAt };
}

function isOnTime(run: Run, { now, watchedSince }: Watch): boolean {
  return now - run.dueAt <= ON_TIME_MS || (watchedSince !== undefined && run.dueAt > watchedSince);
}
