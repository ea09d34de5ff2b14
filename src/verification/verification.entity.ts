import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { idColumn, timeColumn } from '../catalog/columns.js';
import { Database } from '../databases/database.entity.js';
import type { CopyResult } from './copy-result.js';
import type { ScratchlessLevel, VerificationStatus, VerificationTrigger } from './verification-states.js';

/** The record of one attempt to raise a backup's evidence, repeated after a crash, and its outcome. */
@Entity({ name: 'verifications' })
@Index('ix_verifications_created', ['createdAt', 'id'])
@Index('ix_verifications_backup', ['backupId', 'createdAt', 'id'])
@Index('ix_verifications_database', ['databaseId', 'createdAt', 'id'])
@Index('uq_verifications_idempotency', ['idempotencyKey'], { unique: true })
export class Verification {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  @Column({ name: 'backup_id', ...idColumn })
  backupId: string;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Backup)
  @JoinColumn({ name: 'backup_id', foreignKeyConstraintName: 'fk_verifications_backup' })
  backup?: Backup;

  /** The database of the backup; null when it was removed and its backups were kept. */
  @Column({ name: 'database_id', ...idColumn, nullable: true })
  databaseId: string | null;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Database, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'database_id', foreignKeyConstraintName: 'fk_verifications_database' })
  database?: Database;

  @Column({ name: 'database_name', type: 'varchar', length: 63 })
  databaseName: string;

  /** What is to be shown. */
  @Column({ name: 'level', type: 'varchar', length: 16 })
  level: ScratchlessLevel;

  /** The highest rung that every copy was shown to stand on; null while none was. */
  @Column({ name: 'level_reached', type: 'varchar', length: 16, nullable: true })
  levelReached: ScratchlessLevel | null;

  @Column({ name: 'status', type: 'varchar', length: 16 })
  status: VerificationStatus;

  @Column({ name: 'trigger', type: 'varchar', length: 16 })
  trigger: VerificationTrigger;

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
  @Column({ name: 'interrupted_attempts', type: 'integer' })
  interruptedAttempts: number;

  /** Set by a cancel request; a worker that takes over after a crash obeys it too. */
  @Column({ name: 'cancel_requested', type: 'boolean' })
  cancelRequested: boolean;

  @Column({ name: 'idempotency_key', type: 'varchar', length: 255, nullable: true })
  idempotencyKey: string | null;

  /** What was found of each copy; empty until all were looked at. */
  @Column({ name: 'copies', type: 'simple-json' })
  copies: CopyResult[];

  @Column({ name: 'error_code', type: 'varchar', length: 64, nullable: true })
  errorCode: string | null;

  @Column({ name: 'error_detail', type: 'text', nullable: true })
  errorDetail: string | null;

  @Column({ name: 'error_retryable', type: 'boolean', nullable: true })
  errorRetryable: boolean | null;
}
