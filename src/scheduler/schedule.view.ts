import { ApiProperty } from '@nestjs/swagger';

import type { BackupStatus } from '../backups/backup-states.js';
import { RetentionView, toRetentionView } from '../databases/dto/plan.view.js';
import { BlackoutDto } from './dto/blackout.dto.js';
import type { CatchUp } from './schedule.entity.js';
import type { Listed } from './schedule-queries.js';
import type { ScheduleTimings } from './schedule-timings.js';

/** When a database is backed up. */
export class ScheduleView {
  /**
   * Names the schedule in paths.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  id: string;
  /**
   * Id of its database.
   * @example '019aa5c5-3f7e-7000-8000-000000000001'
   */
  database_id: string;
  /**
   * Name of its database.
   * @example 'shop'
   */
  database_name: string;
  /**
   * Unique within its database.
   * @example 'nightly'
   */
  name: string;
  /**
   * Cron expression of five fields; null: it goes by `interval_hours`.
   * @example '0 3 * * *'
   */
  cron: string | null;
  /**
   * Hours between two backups; null: it goes by `cron`.
   * @example 6
   */
  @ApiProperty({ type: 'integer', nullable: true })
  interval_hours: number | null;
  /**
   * Time zone in which it is read.
   * @example 'Asia/Jakarta'
   */
  timezone: string;
  /** Whether `cron` or `interval_hours` is the service's own BACKUP_SCHEDULE or BACKUP_INTERVAL_HOURS. */
  from_environment: boolean;
  /** Whether it runs. */
  enabled: boolean;
  /**
   * What becomes of missed runs: the newest is made up for, or none.
   * @example 'run'
   */
  catch_up: CatchUp;
  /**
   * Longest time that a run begins after its time, in seconds.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  jitter_seconds: number;
  /** Times in which no backup begins. */
  blackouts: BlackoutDto[];
  /** Retention rules for the backups that it makes; null: those of the database. */
  retention: RetentionView | null;
  /**
   * When it last asked for a backup, in UTC; null: never.
   * @example '2026-11-21T03:00:00.000Z'
   */
  last_run_at: string | null;
  /**
   * That backup; null: none yet.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  last_backup_id: string | null;
  /**
   * What became of it so far; null: it never ran.
   * @example 'completed'
   */
  last_status: BackupStatus | null;
  /**
   * When it runs next, in UTC; null: not by itself, as it or all schedules are off.
   * @example '2026-11-22T03:00:00.000Z'
   */
  next_run_at: string | null;
  /**
   * When it was made, in UTC.
   * @example '2026-11-01T12:00:00.000Z'
   */
  created_at: string;
  /**
   * When somebody last changed it, in UTC.
   * @example '2026-11-01T12:00:00.000Z'
   */
  updated_at: string;
}

export function toScheduleView(
  { schedule, databaseName, lastStatus }: Listed,
  timings: ScheduleTimings,
): ScheduleView {
  const { cron, intervalHours, timezone } = timings.firingOf(schedule);
  return {
    id: schedule.id,
    database_id: schedule.databaseId,
    database_name: databaseName,
    name: schedule.name,
    cron,
    interval_hours: intervalHours,
    timezone,
    from_environment: timings.followsDefault(schedule),
    enabled: schedule.enabled,
    catch_up: schedule.catchUp,
    jitter_seconds: schedule.jitterSeconds,
    blackouts: schedule.blackouts,
    retention: schedule.retention === null ? null : toRetentionView(schedule.retention),
    last_run_at: schedule.lastRunAt?.toISOString() ?? null,
    last_backup_id: schedule.lastBackupId,
    last_status: lastStatus,
    next_run_at: timings.isOn ? (schedule.nextRunAt?.toISOString() ?? null) : null,
    created_at: schedule.createdAt.toISOString(),
    updated_at: schedule.updatedAt.toISOString(),
  };
}
