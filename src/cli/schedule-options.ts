import { type Command, InvalidArgumentError, Option } from 'commander';

/** Takes a rule away. Commander would make an empty text of a parser's `null`. */
const NONE = 'none';
type OrNone<T> = T | typeof NONE;

/** What may be said of a schedule on the command line. */
export interface ScheduleOptions {
  cron?: string;
  everyHours?: number;
  timezone?: string;
  catchUp?: string;
  jitterSeconds?: number;
  blackout?: Blackout[];
  retentionDays?: OrNone<number>;
  maxBackups?: OrNone<number>;
  minBackups?: OrNone<number>;
  keepHourly?: OrNone<number>;
  keepDaily?: OrNone<number>;
  keepWeekly?: OrNone<number>;
  keepMonthly?: OrNone<number>;
  keepYearly?: OrNone<number>;
}

interface Blackout {
  days?: string[];
  from: string;
  to: string;
}

const KEEPS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

export function readCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}

function readCountOrNone(text: string): OrNone<number> {
  return text === NONE ? NONE : readCount(text);
}

/** `08:00-18:00`, `mon,fri 22:00-06:00`, or `none`; given several times, all of them count. */
function readBlackout(text: string, before: Blackout[] | undefined): Blackout[] {
  if (text === NONE) return [];
  const { days, from, to } = /^(?:(?<days>[a-z,]+) )?(?<from>[\d:]+)-(?<to>[\d:]+)$/.exec(text)?.groups ?? {};
  if (from === undefined || to === undefined) {
    throw new InvalidArgumentError('must be like "08:00-18:00" or "mon,fri 22:00-06:00".');
  }
  return [...(before ?? []), { ...(days === undefined ? {} : { days: days.split(',') }), from, to }];
}

/** When it runs: also for a preview of what is not made. */
export function addTimeOptions(command: Command): Command {
  return command
    .addOption(new Option('--cron <expression>', 'five fields, in quotes').conflicts('everyHours'))
    .option('--every-hours <hours>', 'instead of --cron: hours between two backups', readCount)
    .option('--timezone <zone>', "such as Europe/Berlin; none: the service's own")
    .option(
      '--blackout <times>',
      'no backup begins then: "mon,fri 08:00-18:00"; may be repeated',
      readBlackout,
    );
}

/** What `add` and `set` take. */
export function addScheduleOptions(command: Command): Command {
  addTimeOptions(command)
    .addOption(new Option('--catch-up <what>', 'a run that was missed').choices(['run', 'skip']))
    .option('--jitter-seconds <seconds>', 'begin each run up to so much later', readCount)
    .option('--retention-days <days>', 'of its own backups; none: no such limit', readCountOrNone)
    .option('--max-backups <number>', 'of its own backups; none: no such limit', readCountOrNone)
    .option('--min-backups <number>', 'so many of its own stay', readCountOrNone);
  for (const keep of KEEPS) {
    command.option(`--keep-${keep} <number>`, `the newest of so many ${keep} ones stays`, readCountOrNone);
  }
  return command;
}

/** In the words of the API. What was not given is absent. */
export function toScheduleBody(options: ScheduleOptions): Record<string, unknown> {
  const body = {
    cron: options.cron,
    interval_hours: options.everyHours,
    timezone: options.timezone,
    blackouts: options.blackout,
    catch_up: options.catchUp,
    jitter_seconds: options.jitterSeconds,
    retention_days: options.retentionDays,
    max_backups: options.maxBackups,
    min_backups: options.minBackups,
    keep_hourly: options.keepHourly,
    keep_daily: options.keepDaily,
    keep_weekly: options.keepWeekly,
    keep_monthly: options.keepMonthly,
    keep_yearly: options.keepYearly,
  };
  const given = Object.entries(body).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([field, value]) => [field, value === NONE ? null : value]));
}
