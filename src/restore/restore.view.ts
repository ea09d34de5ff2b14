import { secondsBetween } from '../backups/backup.view.js';
import type { EngineKind } from '../engines/engine.js';
import type { RestoreProgress } from './restore-progress.js';
import type { RestoreResult } from './restore-result.js';
import type { RestoreMode, RestorePhase, RestoreStatus } from './restore-states.js';
import type { Restore } from './restore.entity.js';

/** How far a running restore is. */
export class RestoreProgressView {
  /** @example 'restoring' */
  phase: RestorePhase;

  /**
   * Stored bytes checked while verifying, plain bytes loaded while restoring.
   * @example 52428800
   */
  bytes: number;

  /** @example 73400320 */
  bytes_total: number | null;

  /**
   * The table or collection being worked on.
   * @example 'public.orders'
   */
  item: string | null;

  /** @example 7 */
  items_done: number;

  /** @example 12 */
  items_total: number | null;

  /**
   * Share of the bytes of this phase, 0 to 99; absent where they are not known.
   * @example 71
   */
  percent?: number;
}

/** Where a backup is restored to. */
export class RestoreTargetView {
  /** The registered database whose connection is used; null with an inline one. */
  database_id: string | null;

  /** @example 'db.example.com' */
  host: string;

  /** @example 5432 */
  port: number;

  /**
   * The database, on that server, that holds the restored data once the restore is completed.
   * @example 'shop_restored_20261121_031500'
   */
  database_name: string;
}

/** How much of the restored copy was compared with the backup's manifest. */
export class ComparedView {
  /** @example 12 */
  items: number;

  /** @example 214532 */
  rows: number;

  /**
   * Tables or collections whose content was compared too, and not only the number of rows.
   * @example 12
   */
  hashes: number;

  /**
   * Whether the definitions were compared. They cannot be between different majors of a server, nor for single tables.
   * @example true
   */
  schema: boolean;
}

/** What came out of a restore. */
export class RestoreResultView {
  /**
   * Whether the copy equals the backup in all that was compared.
   * @example true
   */
  verified: boolean;

  compared: ComparedView;

  /**
   * How long the data took to load, without the checks before and after.
   * @example 41.207
   */
  restore_seconds: number;

  /**
   * Things to know: what was left out on purpose, what could not be compared, what to do next.
   * @example []
   */
  notes: string[];
}

/** Why a restore ended badly. */
export class RestoreErrorView {
  /**
   * Each code has a page: GET /docs/problems/{code}.
   * @example 'restore-differs'
   */
  code: string;

  /** @example 'The restored copy does not equal the backup: public.orders has 99 rows and not 100. It was dropped.' */
  detail: string;

  /** @example false */
  retryable: boolean;

  /** Details for programs. */
  facts?: Record<string, unknown>;
}

/** One restore of a backup, its attempts after a crash included, and its outcome. */
export class RestoreView {
  /** @example '019aa3f0-3333-7000-8000-000000000003' */
  id: string;

  /** @example '019aa3f0-1111-7000-8000-000000000001' */
  backup_id: string;

  /** @example 'postgres' */
  engine: EngineKind;

  /** @example 'completed' */
  status: RestoreStatus;

  /** @example 'new' */
  mode: RestoreMode;

  target: RestoreTargetView;

  /**
   * The unfinished database that the restore is loading, or that could not be dropped yet after it failed.
   * @example null
   */
  unfinished_database: string | null;

  /**
   * The name that the replaced database was given; null when nothing was replaced, or when it was dropped.
   * @example 'shop_before_restore_20261121_031500'
   */
  kept_as: string | null;

  /** The backup that was made of the database before it was replaced. */
  safety_backup_id: string | null;

  /** Only these tables or collections; null: everything. */
  tables: string[] | null;

  /** @example 1 */
  jobs: number;

  /** @example false */
  safety_backup: boolean;

  /** @example false */
  keep_old: boolean;

  /** @example false */
  end_connections: boolean;

  /** @example '2026-11-21T03:15:00.000Z' */
  created_at: string;

  /** @example '2026-11-21T03:15:00.020Z' */
  started_at: string | null;

  /** @example '2026-11-21T03:15:43.512Z' */
  completed_at: string | null;

  /** @example 43.492 */
  duration_seconds: number | null;

  /** @example 1 */
  attempt: number;

  /** Only while it runs. */
  progress?: RestoreProgressView;

  /** Null until the copy was compared. */
  result: RestoreResultView | null;

  error: RestoreErrorView | null;
}

/** The wire form of a restore. */
export function toRestoreView(row: Restore, progress?: RestoreProgress): RestoreView {
  return {
    id: row.id,
    backup_id: row.backupId,
    engine: row.engine,
    status: row.status,
    mode: row.mode,
    target: {
      database_id: row.targetDatabaseId,
      host: row.targetHost,
      port: row.targetPort,
      database_name: row.targetDatabaseName,
    },
    unfinished_database: row.freshName,
    kept_as: row.keptAs,
    safety_backup_id: row.safetyBackupId,
    tables: row.tables,
    jobs: row.jobs,
    safety_backup: row.safetyBackup,
    keep_old: row.keepOld,
    end_connections: row.endConnections,
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    completed_at: row.completedAt?.toISOString() ?? null,
    duration_seconds: secondsBetween(row.startedAt, row.completedAt),
    attempt: row.attempt,
    ...(progress && row.status === 'running' ? { progress: toProgressView(progress) } : {}),
    result: row.result === null ? null : toResultView(row.result),
    error: toErrorView(row),
  };
}

function toProgressView(progress: RestoreProgress): RestoreProgressView {
  const { phase, bytes, bytesTotal, item, itemsDone, itemsTotal } = progress;
  const known = bytesTotal !== null && bytesTotal > 0;
  return {
    phase,
    bytes,
    bytes_total: bytesTotal,
    item,
    items_done: itemsDone,
    items_total: itemsTotal,
    // Indexes are built after the last byte: a phase is over when the next one begins.
    ...(known ? { percent: Math.min(99, Math.floor((100 * bytes) / bytesTotal)) } : {}),
  };
}

function toResultView({ verified, compared, restoreMs, notes }: RestoreResult): RestoreResultView {
  return { verified, compared, restore_seconds: restoreMs / 1000, notes };
}

function toErrorView(row: Restore): RestoreErrorView | null {
  if (row.errorCode === null) return null;
  return {
    code: row.errorCode,
    detail: row.errorDetail ?? '',
    retryable: row.errorRetryable ?? false,
    ...(row.errorFacts && Object.keys(row.errorFacts).length > 0 ? { facts: { ...row.errorFacts } } : {}),
  };
}
