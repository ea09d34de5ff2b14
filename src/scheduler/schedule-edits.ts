import { isDeepStrictEqual } from 'node:util';

import { isTimeZone } from '../clock/time-zone.js';
import { isName } from '../databases/connection-rules.js';
import { faultOf, faultsOfRetention, type FieldFault } from '../databases/database-faults.js';
import { mergeRetention, type RetentionChanges } from '../databases/retention-policy.js';
import { NO_ORIGIN } from '../idempotency/make-once.js';
import { type Blackout, coversAll, toBlackoutWeek } from './blackouts.js';
import { CronSyntaxError, parseCron } from './cron-expression.js';
import { type Settled, settleBeforeChange, settleRuns, type Standing, wasFarAhead } from './due-runs.js';
import { nextRun, type RunRules } from './runs.js';
import { ScheduleAmbiguousError, ScheduleIncompleteError, ScheduleInvalidError } from './schedule.errors.js';
import { type CatchUp, type Firing, Schedule } from './schedule.entity.js';
import type { ScheduleTimings } from './schedule-timings.js';

/** What somebody wants a schedule to be, or to become. Absent leaves as it is; `null` goes back to the service's own. */
export interface ScheduleEdits {
  name?: string | undefined;
  cron?: string | null | undefined;
  intervalHours?: number | null | undefined;
  timezone?: string | null | undefined;
  enabled?: boolean | undefined;
  catchUp?: CatchUp | undefined;
  jitterSeconds?: number | undefined;
  blackouts?: Blackout[] | undefined;
  /** Of a policy of its own; `null` takes all of that away. */
  retention?: RetentionChanges | null | undefined;
  /** `retention` is the whole policy, not a change of the one before. */
  isWhole?: boolean;
}

const LONGEST_INTERVAL_HOURS = 8760;
/** Runs that are looked at for the shortest time between two of them. */
const RUNS_LOOKED_AT = 200;

/** What people say of a schedule. */
const SAID = [
  'name',
  'cron',
  'intervalHours',
  'timezone',
  'enabled',
  'catchUp',
  'jitterSeconds',
  'blackouts',
  'retention',
] as const satisfies readonly (keyof Schedule)[];

/** A schedule that says nothing yet. */
export function blankSchedule(id: string, databaseId: string, name: string, now: Date): Schedule {
  return Object.assign(new Schedule(), {
    id,
    databaseId,
    name,
    cron: null,
    intervalHours: null,
    timezone: null,
    enabled: true,
    catchUp: 'run',
    jitterSeconds: 0,
    blackouts: [],
    retention: null,
    anchorAt: now,
    firing: null,
    settledUntil: now,
    owedAt: null,
    nextRunAt: null,
    lastRunAt: null,
    lastBackupId: null,
    createdAt: now,
    updatedAt: now,
    ...NO_ORIGIN,
  } satisfies Schedule);
}

/**
 * Makes the edits in `schedule`. All rules are asked before anything is changed. What came due until now is decided by the times that
 * it had; a schedule whose times change, or that runs again, then begins now: what its new times would have been before is nothing
 * that was missed.
 *
 * @param cronField what the caller calls the cron expression
 * @returns what was decided about the time before the edit
 * @throws ScheduleAmbiguousError, ScheduleIncompleteError, ScheduleInvalidError, RetentionInvalidError
 */
export function editSchedule(
  schedule: Schedule,
  edits: ScheduleEdits,
  timings: ScheduleTimings,
  now: Date,
  cronField = 'cron',
): Settled {
  checkFields(edits, cronField);
  const edited = Object.assign(withEdits(schedule, edits), { updatedAt: now });
  if (edited.enabled && timings.followsDefault(edited) && !timings.hasDefault) {
    throw new ScheduleIncompleteError(cronField);
  }
  if (edited.intervalHours !== schedule.intervalHours) edited.anchorAt = now;
  const before = schedule.firing ?? timings.firingOf(schedule);
  edited.firing = timings.firingOf(edited);
  const rules = timings.rulesOf(edited);
  if (rules !== undefined) checkRuns(rules, now);
  const isAnew = !isDeepStrictEqual(timesOf(schedule, before), timesOf(edited, edited.firing));
  const settled = settleSchedule(schedule, timings, now, isAnew);
  planNext(edited, settled, timings, now);
  Object.assign(schedule, edited);
  return settled;
}

/** Whether the edits make the schedule say anything else than it does. What follows from that, and happens to it, does not count. */
export function changesSchedule(schedule: Schedule, edits: ScheduleEdits): boolean {
  const edited = withEdits(schedule, edits);
  return SAID.some((field) => !isDeepStrictEqual(edited[field], schedule[field]));
}

export function standingOf({ settledUntil, owedAt }: Pick<Schedule, 'settledUntil' | 'owedAt'>): Standing {
  return { settledUntil: settledUntil.getTime(), owedAt: owedAt?.getTime() };
}

/**
 * Decides about everything until `now` by the rules in force, as the ticker would that has not come yet. Changes nothing.
 * @param isAnew whether other rules follow
 */
export function settleSchedule(
  schedule: Schedule,
  timings: ScheduleTimings,
  now: Date,
  isAnew: boolean,
): Settled {
  const standing = standingOf(schedule);
  const at = now.getTime();
  // Of one whose rules cannot be read any more nothing is known; it must be possible to mend it.
  const rules = schedule.enabled && timings.canRead(schedule) ? timings.rulesOf(schedule) : undefined;
  if (rules === undefined) {
    const freesSlots = wasFarAhead(standing.settledUntil, at);
    return { ...standing, settledUntil: isAnew ? at : standing.settledUntil, freesSlots };
  }
  const settle = isAnew ? settleBeforeChange : settleRuns;
  return settle(rules, standing, schedule.catchUp, { now: at });
}

/** Writes down how far it has got, when it fires from now on, and when the ticker has to look: at once when a run is owed. */
export function planNext(
  schedule: Schedule,
  { settledUntil, owedAt }: Standing,
  timings: ScheduleTimings,
  now: Date,
): void {
  schedule.firing = timings.firingOf(schedule);
  schedule.settledUntil = new Date(settledUntil);
  const rules = schedule.enabled ? timings.rulesOf(schedule) : undefined;
  // Who stops a schedule wants no run of it any more.
  schedule.owedAt = owedAt === undefined || rules === undefined ? null : new Date(owedAt);
  if (rules === undefined) schedule.nextRunAt = null;
  else schedule.nextRunAt = schedule.owedAt === null ? new Date(nextRun(rules, settledUntil).dueAt) : now;
}

/** Of `cron` and `intervalHours` the one that is given takes the other's place. */
function withEdits(schedule: Schedule, edits: ScheduleEdits): Schedule {
  const edited = Object.assign(new Schedule(), schedule, withoutUndefined(edits, schedule));
  if (isGiven(edits.cron)) edited.intervalHours = null;
  if (isGiven(edits.intervalHours)) edited.cron = null;
  return edited;
}

function withoutUndefined(
  { retention, isWhole = false, ...edits }: ScheduleEdits,
  schedule: Schedule,
): Partial<Schedule> {
  const given: Partial<Schedule> = Object.fromEntries(
    Object.entries(edits).filter(([, value]) => value !== undefined),
  );
  if (retention === undefined) return given;
  const merged =
    retention === null ? {} : mergeRetention(isWhole ? {} : (schedule.retention ?? {}), retention);
  return { ...given, retention: Object.keys(merged).length === 0 ? null : merged };
}

/** All that decides when it runs. */
function timesOf({ enabled, blackouts, jitterSeconds, anchorAt }: Schedule, firing: Firing): unknown {
  return { enabled, firing, blackouts, jitterSeconds, anchorAt };
}

/**
 * Every rule that the edits break by themselves, whatever the schedule is now, where `editSchedule` stops at the first.
 *
 * @param cronField what the caller calls the cron expression
 */
export function faultsOfSchedule(edits: ScheduleEdits, cronField = 'cron'): FieldFault[] {
  const { name, cron, intervalHours, timezone, blackouts, retention } = edits;
  const single = [{ name }, { cron }, { intervalHours }, { timezone }, { blackouts }];
  const own = single.flatMap((edit) => faultOf(() => checkFields(edit, cronField)));
  const both = faultOf(() => checkSaidOnce(edits, cronField));
  return [...own, ...both, ...faultsOfRetention(retention ?? {})];
}

function checkSaidOnce({ cron, intervalHours }: ScheduleEdits, cronField: string): void {
  if (isGiven(cron) && isGiven(intervalHours)) throw new ScheduleAmbiguousError(cronField);
}

function checkFields(edits: ScheduleEdits, cronField: string): void {
  const { name, cron, intervalHours, timezone } = edits;
  checkSaidOnce(edits, cronField);
  if (name !== undefined && !isName(name)) {
    throw new ScheduleInvalidError('name', 'must have 1 to 63 letters, digits, dots, underscores or hyphens');
  }
  if (isGiven(cron)) checkCron(cron, cronField);
  if (isGiven(intervalHours) && !isWithin(intervalHours, 1, LONGEST_INTERVAL_HOURS)) {
    throw new ScheduleInvalidError(
      'interval_hours',
      `must be a whole number from 1 to ${LONGEST_INTERVAL_HOURS}, not ${intervalHours}`,
    );
  }
  if (isGiven(timezone)) checkTimeZone(timezone);
  if (edits.blackouts !== undefined && coversAll(toBlackoutWeek(edits.blackouts))) {
    throw new ScheduleInvalidError('blackouts', 'they cover the whole week, so no backup could ever begin');
  }
}

/** @throws ScheduleInvalidError with the reason why it is no cron expression that fires */
export function checkCron(cron: string, field = 'cron'): void {
  try {
    parseCron(cron);
  } catch (error) {
    throw error instanceof CronSyntaxError ? new ScheduleInvalidError(field, error.message) : error;
  }
}

/** @throws ScheduleInvalidError */
export function checkTimeZone(name: string): void {
  if (isTimeZone(name)) return;
  throw new ScheduleInvalidError(
    'timezone',
    `${JSON.stringify(name)} is no time zone; give an IANA name such as Europe/Berlin`,
  );
}

/** With more jitter than that a run could overtake the one before. */
function checkRuns(rules: RunRules, now: Date): void {
  if (rules.jitterMs === 0) return;
  let run = nextRun(rules, now.getTime());
  for (let looked = 0; looked < RUNS_LOOKED_AT; looked += 1) {
    const next = nextRun(rules, run.at);
    if (next.at - run.at <= rules.jitterMs) {
      throw new ScheduleInvalidError(
        'jitter_seconds',
        `must be less than the time between two runs, ${(next.at - run.at) / 1000} s`,
      );
    }
    run = next;
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
