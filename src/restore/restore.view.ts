import { secondsBetween } from '../backups/backup.view.js';
import type { EngineKind } from '../engines/engine.js';
import type { RestoreProgress } from './restore-progress.js';
import type { RestoreResult } from './restore-result.js';
import type { RestoreMode, RestorePhase, RestoreStatus } from './restore-states.js';
import type { Restore } from './restore.entity.js';

/** How far a running restore is. */
export class RestoreProgressView {
  /**
   * What it is doing now.
   * @example 'restoring'
   */
  phase: RestorePhase;

  /**
   * Stored bytes checked while verifying, plain bytes loaded while restoring.
   * @example 52428800
   */
  bytes: number;

  /**
   * Bytes that this phase has to go through; null where that is not known.
   * @example 73400320
   */
  bytes_total: number | null;

  /**
   * The table or collection being worked on.
   * @example 'public.orders'
   */
  item: string | null;

  /**
   * Tables or collections loaded so far.
   * @example 7
   */
  items_done: number;

  /**
   * Tables or collections to load; null while that is unknown.
   * @example 12
   */
  items_total: number | null;

  /**
   * Share of the bytes of this phase, 0 to 99; absent where they are not known.
   * @example 71
   */
  percent?: number;
}

/** Where a backup is restored to. */
export class RestoreTargetView {
  /**
   * The registered database whose connection is used; null with an inline one, or when it was deleted afterwards.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  database_id: string | null;

  /**
   * Name or address of the server.
   * @example 'db.example.com'
   */
  host: string;

  /**
   * TCP port of the server.
   * @example 5432
   */
  port: number;

  /**
   * The database, on that server, that holds the restored data once the restore is completed.
   * @example 'shop_restored_20261121_031500'
   */
  database_name: string;
}

/** How much of the restored copy was compared with the backup's manifest. */
export class ComparedView {
  /**
   * Tables or collections whose number of rows was compared.
   * @example 12
   */
  items: number;

  /**
   * Rows or documents in them.
   * @example 214532
   */
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

  /**
   * Rows that are missing because the server deletes them by itself when they are old enough (a TTL index). Unless 0, the copy was not
   * shown to be exact, and its backup is called `restorable`, not `proven`.
   * @example 0
   */
  expired: number;
}

/** What came out of a restore. */
export class RestoreResultView {
  /**
   * Whether the copy equals the backup in all that was compared.
   * @example true
   */
  verified: boolean;

  /** What the verdict rests on. */
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

  /**
   * What happened, to what, and what to do.
   * @example 'The restored copy does not equal the backup: public.orders has 99 rows and not 100. It was dropped.'
   */
  detail: string;

  /**
   * Whether the same restore may succeed later without anybody changing anything.
   * @example false
   */
  retryable: boolean;

  /**
   * Details for programs.
   * @example { "differences": [{ "kind": "rows", "name": "public.orders", "expected": 100, "found": 99 }], "differences_total": 1 }
   */
  facts?: Record<string, unknown>;
}

/** One restore of a backup, its attempts after a crash included, and its outcome. */
export class RestoreView {
  /**
   * Names the restore in paths.
   * @example '019aa3f0-3333-7000-8000-000000000003'
   */
  id: string;

  /**
   * The backup that is restored.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  backup_id: string;

  /**
   * The kind of database.
   * @example 'postgres'
   */
  engine: EngineKind;

  /**
   * Where it is in its life; `completed` means compared with the backup and equal.
   * @example 'completed'
   */
  status: RestoreStatus;

  /**
   * `new` makes a database beside the others; `replace` puts the backup in the place of one.
   * @example 'new'
   */
  mode: RestoreMode;

  /** Where it is restored to. */
  target: RestoreTargetView;

  /**
   * The unfinished database that the restore is loading, or that could not be dropped yet after it failed.
   * @example 'shop_restoring_000000000003'
   */
  unfinished_database: string | null;

  /**
   * The name that the replaced database was given; null when nothing was replaced, or when it was dropped.
   * @example 'shop_before_restore_20261121_031500'
   */
  kept_as: string | null;

  /**
   * The backup that was made of the database before it was replaced; null while there is none.
   * @example '019aa3f0-4444-7000-8000-000000000004'
   */
  safety_backup_id: string | null;

  /**
   * Only these tables or collections; null: everything.
   * @example ["public.orders"]
   */
  tables: string[] | null;

  /**
   * Parallel workers that load the data.
   * @example 1
   */
  jobs: number;

  /**
   * Whether the database is backed up before it is replaced; false in mode `new`.
   * @example false
   */
  safety_backup: boolean;

  /**
   * Whether the replaced database is kept under another name; false in mode `new`.
   * @example false
   */
  keep_old: boolean;

  /**
   * Whether sessions of others are ended at the moment of the swap; false in mode `new`.
   * @example false
   */
  end_connections: boolean;

  /**
   * When it was asked for, in UTC.
   * @example '2026-11-21T03:15:00.000Z'
   */
  created_at: string;

  /**
   * When its newest attempt began, in UTC; null before the first.
   * @example '2026-11-21T03:15:00.020Z'
   */
  started_at: string | null;

  /**
   * When it ended, in UTC, also by failing or being cancelled; null until then.
   * @example '2026-11-21T03:15:43.512Z'
   */
  completed_at: string | null;

  /**
   * From `started_at` to `completed_at`, in seconds; never below 0; null while one of them is.
   * @example 43.492
   */
  duration_seconds: number | null;

  /**
   * Number of the newest attempt, from 1; above 1 after a crash or a restart of the service. 0 before the first.
   * @example 1
   */
  attempt: number;

  /** Only while it runs. */
  progress?: RestoreProgressView;

  /** Null until the copy was compared. */
  result: RestoreResultView | null;

  /** Why it failed or was cancelled, or what its last attempt met while it is tried again; null: nothing went wrong. */
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
