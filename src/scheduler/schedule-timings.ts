import { Injectable } from '@nestjs/common';

import { TimeZone } from '../clock/time-zone.js';
import { ConfigInvalidError } from '../config/config.errors.js';
import { Config } from '../config/config.js';
import { toBlackoutWeek } from './blackouts.js';
import { CronSyntaxError, parseCron } from './cron-expression.js';
import type { RunRules } from './runs.js';
import type { Firing, Schedule } from './schedule.entity.js';
import type { Timing } from './slots.js';

const HOUR_MS = 3_600_000;

type Timed = Pick<Schedule, 'cron' | 'intervalHours' | 'timezone'>;

/** What counts for a schedule: its own words, and the service's where it has none. */
@Injectable()
export class ScheduleTimings {
  /** @throws ConfigInvalidError when BACKUP_SCHEDULE is no cron expression: the service does not start with it */
  constructor(private readonly config: Config) {
    try {
      if (config.backupSchedule !== null) parseCron(config.backupSchedule);
    } catch (error) {
      if (!(error instanceof CronSyntaxError)) throw error;
      throw new ConfigInvalidError([{ name: 'BACKUP_SCHEDULE', detail: `is refused: ${error.message}` }]);
    }
  }

  /** Whether the service has a schedule for databases that have none. */
  get hasDefault(): boolean {
    return this.config.backupSchedule !== null || this.config.backupIntervalHours !== null;
  }

  /** Whether schedules run at all. */
  get isOn(): boolean {
    return this.config.backupEnabled;
  }

  /** Whether it has no time of its own, and follows the service's. */
  followsDefault({ cron, intervalHours }: Pick<Timed, 'cron' | 'intervalHours'>): boolean {
    return cron === null && intervalHours === null;
  }

  /** By what this service says now. */
  firingOf(schedule: Timed): Firing {
    const own = !this.followsDefault(schedule);
    return {
      cron: own ? schedule.cron : this.config.backupSchedule,
      intervalHours: own ? schedule.intervalHours : this.config.backupIntervalHours,
      timezone: schedule.timezone ?? this.config.timezone,
    };
  }

  /**
   * The rules in force: those that were written down with the row, so that all tickers of a catalog agree. Undefined when it never
   * runs. What is in a row was checked when it was written.
   */
  rulesOf(schedule: Schedule): RunRules | undefined {
    const { cron, intervalHours, timezone } = schedule.firing ?? this.firingOf(schedule);
    const zone = TimeZone.of(timezone);
    let timing: Timing;
    if (cron !== null) timing = { kind: 'cron', cron: parseCron(cron), zone };
    else if (intervalHours !== null) {
      timing = { kind: 'interval', everyMs: intervalHours * HOUR_MS, anchor: schedule.anchorAt.getTime() };
    } else return undefined;
    const blackouts = schedule.blackouts.length > 0 ? toBlackoutWeek(schedule.blackouts) : undefined;
    return { key: schedule.id, timing, zone, blackouts, jitterMs: schedule.jitterSeconds * 1000 };
  }

  /** Whether the rules in force mean something here: the machine before may have known a zone that this one does not know. */
  canRead(schedule: Schedule): boolean {
    try {
      this.rulesOf(schedule);
      return true;
    } catch (error) {
      if (error instanceof RangeError || error instanceof CronSyntaxError) return false;
      throw error;
    }
  }
}
