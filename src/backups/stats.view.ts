/** Totals over all backups, or those of one database. */
export class BackupSummaryView {
  /**
   * All that were ever asked for, deleted and cancelled ones included.
   * @example 120
   */
  total: number;
  /**
   * Those that completed and still exist.
   * @example 118
   */
  completed: number;
  /**
   * Those that failed and were not deleted.
   * @example 2
   */
  failed: number;
  /**
   * Those at work now.
   * @example 0
   */
  running: number;
  /**
   * Those that wait to be begun, or for their next attempt.
   * @example 0
   */
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
  /**
   * When the oldest one that still exists was completed, in UTC; null: there is none.
   * @example '2026-08-21T03:00:07.512Z'
   */
  oldest_at: string | null;
  /**
   * When the newest one that still exists was completed, in UTC; null: there is none.
   * @example '2026-11-21T03:00:07.512Z'
   */
  newest_at: string | null;
}

export class DatabaseStatsView extends BackupSummaryView {
  /**
   * Name under which the database was registered when the backups were made.
   * @example 'shop'
   */
  database_name: string;
}

/** What was begun on one day (UTC). */
export class DayStatsView {
  /**
   * Year, month and day, in UTC.
   * @example '2026-11-21'
   */
  day: string;
  /**
   * Those that completed and still exist.
   * @example 4
   */
  completed: number;
  /**
   * Those that failed and were not deleted.
   * @example 0
   */
  failed: number;
  /**
   * Stored size of those that completed and still exist.
   * @example 41943040
   */
  size_bytes: number;
}

export class BackupStatsView extends BackupSummaryView {
  /** The same totals for each database, in order of their names. */
  per_database: DatabaseStatsView[];
  /** The last 30 days, those with backups only. */
  per_day: DayStatsView[];
}

/** When the next scheduled backup begins. */
export class SchedulerStatusView {
  /**
   * In UTC; null while nothing is scheduled.
   * @example '2026-11-22T03:00:00.000Z'
   */
  next_run_at: string | null;
}

/** Room at the default destination. */
export class DiskStatusView {
  /**
   * What the service may still write.
   * @example 53687091200
   */
  free_bytes: number;
  /**
   * Size of the whole file system.
   * @example 107374182400
   */
  total_bytes: number;
}

/** The service at a glance. */
export class ServiceStatusView {
  /** Whether backups are made by schedule. */
  enabled: boolean;
  /**
   * Folder of the default destination, on the service's machine.
   * @example '/data/backups'
   */
  backup_directory: string;
  /**
   * Default policy; null: nothing is deleted by age.
   * @example 30
   */
  retention_days: number | null;
  /**
   * Default policy; null: nothing is deleted by number.
   * @example 100
   */
  max_backups: number | null;
  /**
   * Default schedule; null: none.
   * @example 24
   */
  interval_hours: number | null;
  /**
   * Backups that completed and still exist: one that waits, runs or has failed is none yet.
   * @example 118
   */
  total_backups: number;
  /**
   * Backups at work now.
   * @example 0
   */
  running: number;
  /**
   * Backups that wait to be begun, or for their next attempt.
   * @example 0
   */
  queued: number;
  /** What is due next. */
  scheduler: SchedulerStatusView;
  /** Null when the destination cannot tell. */
  disk: DiskStatusView | null;
}
