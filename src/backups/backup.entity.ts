import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import type { Compression } from '../archive/manifest.js';
import { bytesColumn, idColumn, timeColumn } from '../catalog/columns.js';
import { Database } from '../databases/database.entity.js';
import type { DumpFormat, EngineKind } from '../engines/engine.js';
import type { BackupStatus, BackupTrigger } from './backup-states.js';

/** Totals of a manifest's content, so that lists need not read manifests. */
export interface ContentSummary {
  items: number;
  rows: number;
  counters: Record<string, number>;
}

/** What lists are filtered by stands in the indices that have their order; see `BackupQueries`. */
const FILTERS = ['status', 'trigger', 'evidenceLevel'];

/** The record of one attempt to make an archive, retries included, and its outcome. */
@Entity({ name: 'backups' })
@Index('ix_backups_created', ['createdAt', 'id', ...FILTERS])
@Index('ix_backups_database', ['databaseId', 'createdAt', 'id', ...FILTERS])
@Index('ix_backups_name', ['databaseName', 'createdAt', 'id', ...FILTERS])
@Index('ix_backups_status', ['status', 'createdAt'])
@Index('ix_backups_database_status', ['databaseId', 'status', 'createdAt'])
@Index('ix_backups_evidence', ['databaseId', 'evidenceLevel', 'evidenceAt'], {
  where: "status = 'completed'",
})
@Index('ix_backups_filename', ['filename'])
@Index('uq_backups_schedule_slot', ['scheduleId', 'slotAt'], { unique: true })
@Index('uq_backups_idempotency', ['idempotencyKey'], { unique: true })
@Index('uq_backups_running', ['databaseId'], { unique: true, where: "status = 'running'" })
export class Backup {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  /** Null once the database was deleted while its backups were kept; the names below stay. */
  @Column({ name: 'database_id', ...idColumn, nullable: true })
  databaseId: string | null;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Database, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'database_id', foreignKeyConstraintName: 'fk_backups_database' })
  database?: Database;

  @Column({ name: 'database_name', type: 'varchar', length: 63 })
  databaseName: string;

  @Column({ name: 'database_host', type: 'varchar', length: 253 })
  databaseHost: string;

  @Column({ name: 'engine', type: 'varchar', length: 32 })
  engine: EngineKind;

  @Column({ name: 'status', type: 'varchar', length: 16 })
  status: BackupStatus;

  @Column({ name: 'trigger', type: 'varchar', length: 16 })
  trigger: BackupTrigger;

  @Column({ name: 'description', type: 'text', nullable: true })
  description: string | null;

  @Column({ name: 'locked', type: 'boolean' })
  locked: boolean;

  @Column({ name: 'created_at', ...timeColumn })
  createdAt: Date;

  /** Of the newest attempt. */
  @Column({ name: 'started_at', ...timeColumn, nullable: true })
  startedAt: Date | null;

  /** When it reached its last state, also when that is `failed` or `cancelled`. */
  @Column({ name: 'completed_at', ...timeColumn, nullable: true })
  completedAt: Date | null;

  @Column({ name: 'attempt', type: 'integer' })
  attempt: number;

  /** Of these attempts, how many were ended by a stop of the service; they do not count against `BACKUP_MAX_ATTEMPTS`. */
  @Column({ name: 'interrupted_attempts', type: 'integer', default: 0 })
  interruptedAttempts: number;

  /** Set by a cancel request; a worker that takes over after a crash obeys it too. */
  @Column({ name: 'cancel_requested', type: 'boolean' })
  cancelRequested: boolean;

  @Column({ name: 'idempotency_key', type: 'varchar', length: 255, nullable: true })
  idempotencyKey: string | null;

  /** File name of the newest attempt's archive. */
  @Column({ name: 'filename', type: 'varchar', length: 255, nullable: true })
  filename: string | null;

  /** Stored size of all parts, and the plain size. Null until completed. */
  @Column({ name: 'size_bytes', ...bytesColumn, nullable: true })
  sizeBytes: number | null;

  @Column({ name: 'plain_bytes', ...bytesColumn, nullable: true })
  plainBytes: number | null;

  /** Of the stored data part. */
  @Column({ name: 'sha256', type: 'varchar', length: 64, nullable: true })
  sha256: string | null;

  /** Of the manifest's bytes: what the catalog knows is what the destination must still say. */
  @Column({ name: 'manifest_sha256', type: 'varchar', length: 64, nullable: true })
  manifestSha256: string | null;

  @Column({ name: 'format', type: 'varchar', length: 16, nullable: true })
  format: DumpFormat | null;

  @Column({ name: 'compression', type: 'varchar', length: 16, nullable: true })
  compression: Compression | null;

  @Column({ name: 'tool', type: 'varchar', length: 255, nullable: true })
  tool: string | null;

  @Column({ name: 'server_version', type: 'varchar', length: 255, nullable: true })
  serverVersion: string | null;

  @Column({ name: 'contents', type: 'simple-json', nullable: true })
  contents: ContentSummary | null;

  /** Null until completed, and while no copy can be read; see `EVIDENCE_LEVELS`. A completed backup without it is no good one. */
  @Column({ name: 'evidence_level', type: 'integer', nullable: true })
  evidenceLevel: number | null;

  @Column({ name: 'evidence_at', ...timeColumn, nullable: true })
  evidenceAt: Date | null;

  /** Measured time of the restore that showed the evidence. */
  @Column({ name: 'evidence_restore_ms', ...bytesColumn, nullable: true })
  evidenceRestoreMs: number | null;

  /** When a restored copy last differed from it, and of which restore; null when a later one was equal. Its evidence stays. */
  @Column({ name: 'differed_at', ...timeColumn, nullable: true })
  differedAt: Date | null;

  @Column({ name: 'differed_restore_id', ...idColumn, nullable: true })
  differedRestoreId: string | null;

  /** The schedule that asked for it; it may be gone by now. */
  @Column({ name: 'schedule_id', ...idColumn, nullable: true })
  scheduleId: string | null;

  /** The moment of that schedule for which it was made; null when somebody asked for it. */
  @Column({ name: 'slot_at', ...timeColumn, nullable: true })
  slotAt: Date | null;

  /** An age limit of its own, in place of its policy's limits. */
  @Column({ name: 'retention_days', type: 'integer', nullable: true })
  retentionDays: number | null;

  /** Whether its completion makes retention look at its database; null: nobody has said otherwise, so it does. */
  @Column({ name: 'cleanup_old', type: 'boolean', nullable: true })
  cleanupOld: boolean | null;

  /** Destination that was asked for; null: the default one. */
  @Column({ name: 'destination', type: 'varchar', length: 1024, nullable: true })
  destination: string | null;

  /** Why retention keeps it, as of the last sweep; null before the first. */
  @Column({ name: 'keep_reasons', type: 'simple-json', nullable: true })
  keepReasons: string[] | null;

  /** What was unusual when it was removed. */
  @Column({ name: 'removal_note', type: 'text', nullable: true })
  removalNote: string | null;

  /** What kept it from being removed the last time that this was tried; null once it is gone. */
  @Column({ name: 'removal_error_code', type: 'varchar', length: 64, nullable: true })
  removalErrorCode: string | null;

  @Column({ name: 'removal_error_detail', type: 'text', nullable: true })
  removalErrorDetail: string | null;

  @Column({ name: 'removal_error_at', ...timeColumn, nullable: true })
  removalErrorAt: Date | null;

  @Column({ name: 'error_code', type: 'varchar', length: 64, nullable: true })
  errorCode: string | null;

  @Column({ name: 'error_detail', type: 'text', nullable: true })
  errorDetail: string | null;

  @Column({ name: 'error_retryable', type: 'boolean', nullable: true })
  errorRetryable: boolean | null;
}
