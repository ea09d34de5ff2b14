import type { EngineKind, DumpFormat } from '../engines/engine.js';
import type { Compression } from '../archive/manifest.js';
import type { BackupCopy } from './backup-copy.entity.js';
import type { BackupProgress } from './backup-progress.js';
import {
  type BackupPhase,
  type BackupStatus,
  type BackupTrigger,
  EVIDENCE_LEVELS,
  type EvidenceName,
} from './backup-states.js';
import type { Backup } from './backup.entity.js';
import { CopyView, toCopyView } from './copy.view.js';
import { DifferenceView, toDifferenceView } from './difference.view.js';
import { RemovalErrorView, toRemovalErrorView } from './removal-error.view.js';

/** How far a running backup is. */
export class BackupProgressView {
  /**
   * What it is doing now.
   * @example 'dumping'
   */
  phase: BackupPhase;
  /**
   * Plain bytes dumped so far.
   * @example 52428800
   */
  bytes: number;
  /**
   * The table or collection being worked on.
   * @example 'public.orders'
   */
  item: string | null;
  /**
   * Tables or collections dumped so far.
   * @example 7
   */
  items_done: number;
  /**
   * Tables or collections to dump; null while that is unknown.
   * @example 12
   */
  items_total: number | null;
  /**
   * Share done, 0 to 100: of the bytes where the sizes of tables are known, else of their number; absent while neither is.
   * @example 58
   */
  percent?: number;
}

/** How far the backup has been shown to be good. */
export class EvidenceView {
  /**
   * Rung of the ladder: 0 stored, 1 intact, 2 readable, 3 restorable, 4 proven, 5 accepted.
   * @example 4
   */
  level: number;
  /**
   * The rung in a word; the same as `level`.
   * @example 'proven'
   */
  name: EvidenceName;
  /**
   * When it was shown, in UTC.
   * @example '2026-11-21T03:00:41.000Z'
   */
  at: string | null;
  /**
   * How long the restore that showed it took.
   * @example 41.2
   */
  restore_seconds: number | null;
}

/** Totals of what the backup holds; see `/contents` for each table or collection. */
export class ContentSummaryView {
  /**
   * Number of tables or collections.
   * @example 12
   */
  items: number;
  /**
   * Rows or documents of all of them together.
   * @example 214532
   */
  rows: number;
  /**
   * Content that is not rows. Most are numbers of something; `large_object_content` and `sequence_positions` are sums, by which two
   * databases are compared.
   * @example { "large_objects": 3 }
   */
  counters: Record<string, number>;
}

/** Why a backup or a verification ended badly. */
export class RowErrorView {
  /**
   * Each code has a page: GET /docs/problems/{code}.
   * @example 'server-unreachable'
   */
  code: string;
  /**
   * What happened, to what, and what to do.
   * @example 'Cannot reach db.example.com:5432: connection refused. Is the server running?'
   */
  detail: string;
  /**
   * Whether another attempt may succeed without anybody changing anything.
   * @example true
   */
  retryable: boolean;
}

/** One attempt to make an archive, retries included, and its outcome. */
export class BackupView {
  /**
   * Names the backup in paths, as its file name does.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  id: string;
  /**
   * Null when the database was deleted and its backups were kept.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  database_id: string | null;
  /**
   * Name under which the database was registered when the backup was asked for.
   * @example 'shop'
   */
  database_name: string;
  /**
   * Server of the database when the backup was asked for.
   * @example 'db.example.com'
   */
  database_host: string;
  /**
   * The kind of database.
   * @example 'postgres'
   */
  engine: EngineKind;
  /**
   * File name of the newest attempt's archive; null until one was chosen.
   * @example 'backup_shop_20261121_030000.dump.zst'
   */
  filename: string | null;
  /**
   * Where it is in its life; `expiring` is being deleted, and `expired` was.
   * @example 'completed'
   */
  status: BackupStatus;
  /**
   * Why it was made: by a request, by a schedule, or before a restore replaced its database.
   * @example 'manual'
   */
  trigger: BackupTrigger;
  /**
   * What somebody wrote about it; null: nothing.
   * @example 'before the 2.0 release'
   */
  description: string | null;
  /**
   * When it was asked for, in UTC.
   * @example '2026-11-21T03:00:00.000Z'
   */
  created_at: string;
  /**
   * When its newest attempt began, in UTC; null before the first.
   * @example '2026-11-21T03:00:00.020Z'
   */
  started_at: string | null;
  /**
   * When it ended, in UTC, also by failing or being cancelled; null until then.
   * @example '2026-11-21T03:00:07.512Z'
   */
  completed_at: string | null;
  /**
   * From `started_at` to `completed_at`, in seconds; never below 0; null while one of them is.
   * @example 7.492
   */
  duration_seconds: number | null;
  /**
   * Size of all stored parts.
   * @example 10485760
   */
  size_bytes: number | null;
  /**
   * Size of all parts before compression; null until completed.
   * @example 73400320
   */
  plain_bytes: number | null;
  /**
   * Of the archive as stored; what `sha256sum` says of the downloaded file.
   * @example 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c'
   */
  sha256: string | null;
  /**
   * Kind of dump that the tool wrote; null until completed.
   * @example 'custom'
   */
  format: DumpFormat | null;
  /**
   * How the stored parts are compressed; null until completed.
   * @example 'zstd'
   */
  compression: Compression | null;
  /**
   * Whether the stored parts are encrypted.
   * @example false
   */
  encrypted: boolean;
  /**
   * The program that made the dump, with its version; null until completed.
   * @example 'pg_dump 18.1'
   */
  tool: string | null;
  /**
   * Version of the server that was dumped; null until completed.
   * @example '17.6'
   */
  server_version: string | null;
  /**
   * Number of the newest attempt; 0 before the first.
   * @example 1
   */
  attempt: number;
  /** Only while it runs. */
  progress?: BackupProgressView;
  /** Null until completed, and while no copy can be read. */
  evidence: EvidenceView | null;
  /** The last restore whose copy differed from it, which the target may have caused; null: none, or one was equal since. */
  difference: DifferenceView | null;
  /** Where its archives lie; those already removed are left out. */
  copies: CopyView[];
  /** What it holds, in numbers; null until completed. */
  contents: ContentSummaryView | null;
  /**
   * While true, nobody and nothing deletes it.
   * @example false
   */
  locked: boolean;
  /**
   * Why retention keeps it, as of its last sweep (after each backup, and hourly); empty before the first, and when it is not
   * `completed`. `GET /databases/{id}/retention` says what counts at this moment.
   * @example ["daily 3 of 7"]
   */
  keep_reasons: string[];
  /**
   * Its own age limit in days, in place of the limits of its policy; null: those count.
   * @example 90
   */
  retention_days: number | null;
  /**
   * The schedule that asked for it; null: somebody did.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  schedule_id: string | null;
  /**
   * For which of the schedule's moments it was made, in UTC; null when it was asked for at another time.
   * @example '2026-11-21T03:00:00.000Z'
   */
  slot_at: string | null;
  /**
   * What was unusual when it was removed; null: nothing.
   * @example 'Its archive was not at the destination any more: local shop/backup_shop_20261121_030000.dump.zst'
   */
  removal_note: string | null;
  /** What keeps it from being removed while it is `expiring`; null: nothing. */
  removal_error: RemovalErrorView | null;
  /** Why it failed or was cancelled, or what its last attempt met while it is tried again; null: nothing went wrong. */
  error: RowErrorView | null;
}

/** The wire form of a backup. */
export function toBackupView(
  row: Backup,
  copies: readonly BackupCopy[],
  progress?: BackupProgress,
): BackupView {
  return {
    id: row.id,
    database_id: row.databaseId,
    database_name: row.databaseName,
    database_host: row.databaseHost,
    engine: row.engine,
    filename: row.filename,
    status: row.status,
    trigger: row.trigger,
    description: row.description,
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    completed_at: row.completedAt?.toISOString() ?? null,
    duration_seconds: secondsBetween(row.startedAt, row.completedAt),
    size_bytes: row.sizeBytes,
    plain_bytes: row.plainBytes,
    sha256: row.sha256,
    format: row.format,
    compression: row.compression,
    encrypted: false,
    tool: row.tool,
    server_version: row.serverVersion,
    attempt: row.attempt,
    ...(progress && row.status === 'running' ? { progress: toProgressView(progress) } : {}),
    evidence: toEvidenceView(row),
    difference: toDifferenceView(row),
    copies: copies.filter((copy) => copy.state !== 'discarded').map(toCopyView),
    contents: row.contents,
    locked: row.locked,
    keep_reasons: keepReasonsOf(row),
    retention_days: row.retentionDays,
    schedule_id: row.scheduleId,
    slot_at: row.slotAt?.toISOString() ?? null,
    removal_note: row.removalNote,
    removal_error: toRemovalErrorView(row),
    error: toErrorView(row),
  };
}

/** A lock is known at once; everything else since the last sweep. */
function keepReasonsOf(row: Backup): string[] {
  const fromSweep = row.status === 'completed' ? (row.keepReasons ?? []) : [];
  const others = fromSweep.filter((reason) => reason !== 'locked');
  return row.locked ? ['locked', ...others] : others;
}

/** Seconds with milliseconds, or null while one of the two is unknown; 0 when the machine's clock was set back between them. */
export function secondsBetween(from: Date | null, to: Date | null): number | null {
  return from === null || to === null ? null : Math.max(0, to.getTime() - from.getTime()) / 1000;
}

export function toErrorView(row: {
  errorCode: string | null;
  errorDetail: string | null;
  errorRetryable: boolean | null;
}): RowErrorView | null {
  if (row.errorCode === null) return null;
  return { code: row.errorCode, detail: row.errorDetail ?? '', retryable: row.errorRetryable ?? false };
}

function toProgressView(progress: BackupProgress): BackupProgressView {
  const { phase, bytes, item, itemsDone, itemsTotal } = progress;
  const byItems = itemsTotal !== null && itemsTotal > 0 ? itemsDone / itemsTotal : null;
  const share = progress.share ?? byItems;
  return {
    phase,
    bytes,
    item,
    items_done: itemsDone,
    items_total: itemsTotal,
    ...(share === null ? {} : { percent: Math.min(100, Math.floor(100 * share)) }),
  };
}

function toEvidenceView(row: Backup): EvidenceView | null {
  const name = row.evidenceLevel === null ? undefined : EVIDENCE_LEVELS[row.evidenceLevel];
  if (name === undefined || row.evidenceLevel === null) return null;
  return {
    level: row.evidenceLevel,
    name,
    at: row.evidenceAt?.toISOString() ?? null,
    restore_seconds: row.evidenceRestoreMs === null ? null : row.evidenceRestoreMs / 1000,
  };
}
