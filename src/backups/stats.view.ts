/** Totals over all backups, or those of one database. */
export class BackupSummaryView {
  /** @example 120 */
  total: number;
  /** @example 118 */
  completed: number;
  /** @example 2 */
  failed: number;
  /** @example 0 */
  running: number;
  /** @example 0 */
  queued: number;
  /**
   * Share of the ended ones that completed, 0 to 1; cancelled ones do not count. Null before the first end.
   * @example 0.983
   */
  success_rate: number | null;
  /**
   * Stored size of all that exist now.
   * @example 1258291200
   */
  total_size_bytes: number;
  /** @example '2026-08-21T03:00:07.512Z' */
  oldest_at: string | null;
  /** @example '2026-11-21T03:00:07.512Z' */
  newest_at: string | null;
}

export class DatabaseStatsView extends BackupSummaryView {
  /** @example 'shop' */
  database_name: string;
}

/** What was begun on one day (UTC). */
export class DayStatsView {
  /** @example '2026-11-21' */
  day: string;
  /** @example 4 */
  completed: number;
  /** @example 0 */
  failed: number;
  /** @example 41943040 */
  size_bytes: number;
}

export class BackupStatsView extends BackupSummaryView {
  per_database: DatabaseStatsView[];
  /** The last 30 days, those with backups only. */
  per_day: DayStatsView[];
}

/** When the next scheduled backup begins. */
export class SchedulerStatusView {
  /** Null while nothing is scheduled. */
  next_run_at: string | null;
}

/** Room at the default destination. */
export class DiskStatusView {
  /** @example 53687091200 */
  free_bytes: number;
  /** @example 107374182400 */
  total_bytes: number;
}

/** The service at a glance. */
export class ServiceStatusView {
  /** Whether backups are made by schedule. */
  enabled: boolean;
  /** @example '/data/backups' */
  backup_directory: string;
  /** Default policy; null: nothing is deleted by age. */
  retention_days: number | null;
  /** Default policy; null: nothing is deleted by number. */
  max_backups: number | null;
  /** Default schedule; null: none. */
  interval_hours: number | null;
  /** @example 118 */
  total_backups: number;
  /** @example 0 */
  running: number;
  /** @example 0 */
  queued: number;
  scheduler: SchedulerStatusView;
  /** Null when the destination cannot tell. */
  disk: DiskStatusView | null;
}
