import { afterBlackout } from './blackouts.js';
import { newestRunDue, nextRun, type Run, type RunRules, runsDue } from './runs.js';
import type { CatchUp } from './schedule.entity.js';

/** A run that begins so much after its time is still on time: a restart, a busy minute. */
export const ON_TIME_MS = 5 * 60_000;
/**
 * A schedule that is settled further ahead of now than this has been run by a clock that was put back since; less is the difference
 * between the clocks of two machines.
 */
export const AHEAD_MS = 60_000;
/**
 * Up to so far ahead runs keep their backups, so that none is doubled when the hour comes again. It would be wrong to go without for
 * a year.
 */
const FURTHEST_AHEAD_MS = 2 * 3_600_000;
/** So many missed runs are counted; of more it is only known that they were more. */
const MOST_COUNTED = 1000;

/** How far a schedule has got. Times are in milliseconds since 1970. */
export interface Standing {
  /** All runs up to here have been decided about. */
  settledUntil: number;
  /** The run that is to be made and has not begun. */
  owedAt?: number | undefined;
}

/** Runs that did not begin in their time. */
export interface MissedRuns {
  count: number;
  first: number;
  last: number;
  /** Whether one run is made in their place. */
  caughtUp: boolean;
}

/** What has been decided about the runs until now. */
export interface Settled extends Standing {
  missed?: MissedRuns;
  /** Runs after `settledUntil` that have backups have to be made again: the clock was too far ahead. */
  freesSlots: boolean;
}

/** What is to be done for one schedule now. */
export interface DueRuns extends Settled {
  /** The run to be made now, by its name. */
  runAt?: number;
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
 * Decides about all runs that have come due since `settledUntil`: the newest is owed, when it is on time, or late and `catchUp` says
 * so; those before it are not, and are called missed as far as they were due while nobody looked.
 *
 * A standing ahead of now is one of a clock that has been put back. What has not come yet is open again, and so is what was on time
 * just before: who makes a run looks whether it has been made.
 */
export function settleRuns(rules: RunRules, standing: Standing, catchUp: CatchUp, watch: Watch): Settled {
  const { now } = watch;
  const { settledUntil, owedAt } = standing.settledUntil > now + AHEAD_MS ? putBack(standing, now) : standing;
  const due = runsDue(rules, settledUntil, now, MOST_COUNTED);
  const newest = due.length < MOST_COUNTED ? due.at(-1) : newestRunDue(rules, settledUntil, now);
  const freesSlots = wasFarAhead(standing.settledUntil, now);
  if (newest === undefined) return { settledUntil, owedAt, freesSlots };
  const missed = due.filter((run) => !isOnTime(run, watch));
  const isLate = !isOnTime(newest, watch);
  const isOwed = !isLate || catchUp === 'run';
  return {
    settledUntil: newest.at,
    owedAt: isOwed ? newest.at : owedAt,
    freesSlots,
    ...(missed.length > 0 && {
      missed: {
        count: missed.length,
        first: missed[0]?.at ?? now,
        last: missed.at(-1)?.at ?? now,
        caughtUp: isLate && isOwed,
      },
    }),
  };
}

/**
 * Settles everything before other rules take over. They know nothing of a run that is put off or delayed at this moment, so that
 * becomes owed.
 */
export function settleBeforeChange(
  rules: RunRules,
  standing: Standing,
  catchUp: CatchUp,
  watch: Watch,
): Settled {
  const settled = settleRuns(rules, standing, catchUp, watch);
  const { slot } = nextRun(rules, settled.settledUntil);
  const owedAt = slot.at <= watch.now ? slot.at : settled.owedAt;
  return { ...settled, settledUntil: watch.now, owedAt };
}

/** Settles the runs until now. What is owed is made, unless a blackout is on: a late run is no reason to break it. */
export function decideDue(rules: RunRules, standing: Standing, catchUp: CatchUp, watch: Watch): DueRuns {
  const { owedAt, ...settled } = settleRuns(rules, standing, catchUp, watch);
  const nextRunAt = nextRun(rules, settled.settledUntil).dueAt;
  if (owedAt === undefined) return { ...settled, nextRunAt };
  const { now } = watch;
  const mayBeginAt = rules.blackouts === undefined ? now : afterBlackout(rules.blackouts, rules.zone, now);
  if (mayBeginAt > now) return { ...settled, owedAt, nextRunAt: Math.min(nextRunAt, mayBeginAt) };
  return { ...settled, runAt: owedAt, nextRunAt };
}

/** Whether runs after `now` were made by a clock so far ahead that they have to be made again. */
export function wasFarAhead(settledUntil: number, now: number): boolean {
  return settledUntil > now + FURTHEST_AHEAD_MS;
}

function putBack({ owedAt }: Standing, now: number): Standing {
  return {
    settledUntil: now - ON_TIME_MS,
    owedAt: owedAt !== undefined && owedAt > now ? undefined : owedAt,
  };
}

function isOnTime(run: Run, { now, watchedSince }: Watch): boolean {
  return now - run.dueAt <= ON_TIME_MS || (watchedSince !== undefined && run.dueAt > watchedSince);
}
