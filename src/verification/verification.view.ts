import { RowErrorView, secondsBetween, toErrorView } from '../backups/backup.view.js';
import { type CopyResult, outcomeOf } from './copy-result.js';
import type { VerificationProgress } from './verification-progress.js';
import type {
  Outcome,
  ScratchlessLevel,
  VerificationPhase,
  VerificationStatus,
  VerificationTrigger,
} from './verification-states.js';
import type { Verification } from './verification.entity.js';

/** How far a running verification is. */
export class VerificationProgressView {
  /**
   * What it is doing now.
   * @example 'inspecting'
   */
  phase: VerificationPhase;
  /**
   * Stored bytes read so far, of all copies together.
   * @example 52428800
   */
  bytes: number;
  /**
   * Stored bytes of all copies together; null before that is known.
   * @example 73400320
   */
  bytes_total: number | null;
  /**
   * Share of the bytes, 0 to 99; absent while it is not known.
   * @example 71
   */
  percent?: number;
}

/** What was found of one copy. */
export class CopyResultView {
  /**
   * Name of the destination where it lies.
   * @example 'local'
   */
  destination: string;
  /**
   * Path of the archive within the destination.
   * @example 'shop/backup_shop_20261121_030000.dump.zst'
   */
  key: string;
  /**
   * `failed`: something is wrong with it. `unknown`: it could not be looked at.
   * @example 'passed'
   */
  outcome: Outcome;
  /**
   * The highest level that it was shown to have, also where a higher one was asked for; null: none.
   * @example 'readable'
   */
  level: ScratchlessLevel | null;
  /** Why it has not passed; null: it has. */
  error: RowErrorView | null;
}

/** One verification of a backup, its attempts after a crash included, and its outcome. */
export class VerificationView {
  /**
   * Names the verification in paths.
   * @example '019aa3f0-5555-7000-8000-000000000005'
   */
  id: string;
  /**
   * The backup that is verified.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  backup_id: string;
  /**
   * The database of the backup; null when it was deleted and its backups were kept.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  database_id: string | null;
  /**
   * Name of that database in the backup.
   * @example 'shop'
   */
  database_name: string;
  /**
   * What it was asked to show.
   * @example 'readable'
   */
  level: ScratchlessLevel;
  /**
   * The highest level that every copy was shown to have; null while none was.
   * @example 'readable'
   */
  level_reached: ScratchlessLevel | null;
  /**
   * Where it is in its life; `completed` means that every copy has passed.
   * @example 'completed'
   */
  status: VerificationStatus;
  /**
   * What is known by it. `failed`: something is wrong with a copy. `unknown`: it could not be looked at, or the verification was cancelled.
   * Null while it waits or runs.
   * @example 'passed'
   */
  outcome: Outcome | null;
  /**
   * Why it was made: by a request.
   * @example 'manual'
   */
  trigger: VerificationTrigger;
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
  progress?: VerificationProgressView;
  /** What was found of each copy; empty until all were looked at. */
  copies: CopyResultView[];
  /** Why it has not passed, or what its last attempt met while it is tried again; null: nothing went wrong. */
  error: RowErrorView | null;
}

/** The wire form of a verification. */
export function toVerificationView(row: Verification, progress?: VerificationProgress): VerificationView {
  return {
    id: row.id,
    backup_id: row.backupId,
    database_id: row.databaseId,
    database_name: row.databaseName,
    level: row.level,
    level_reached: row.levelReached,
    status: row.status,
    outcome: outcomeOf(row),
    trigger: row.trigger,
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    completed_at: row.completedAt?.toISOString() ?? null,
    duration_seconds: secondsBetween(row.startedAt, row.completedAt),
    attempt: row.attempt,
    ...(progress && row.status === 'running' ? { progress: toProgressView(progress) } : {}),
    copies: row.copies.map(toCopyResultView),
    error: toErrorView(row),
  };
}

function toCopyResultView({ destination, key, outcome, level, error }: CopyResult): CopyResultView {
  return { destination, key, outcome, level, error };
}

function toProgressView({ phase, bytes, bytesTotal }: VerificationProgress): VerificationProgressView {
  const known = bytesTotal !== null && bytesTotal > 0;
  return {
    phase,
    bytes,
    bytes_total: bytesTotal,
    // Over only when its result is written down.
    ...(known ? { percent: Math.min(99, Math.floor((100 * bytes) / bytesTotal)) } : {}),
  };
}
