import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { idColumn, timeColumn } from '../catalog/columns.js';
import { Database } from '../databases/database.entity.js';
import type { EngineKind } from '../engines/engine.js';
import type { RestoreResult } from './restore-result.js';
import type { RestoreMode, RestoreStage, RestoreStatus } from './restore-states.js';

/** The record of one restore of a backup, its attempts after a crash included, and its outcome. */
@Entity({ name: 'restores' })
@Index('ix_restores_created', ['createdAt', 'id'])
@Index('ix_restores_backup', ['backupId'])
@Index('ix_restores_database', ['targetDatabaseId'])
@Index('uq_restores_active_target', ['activeTarget'], { unique: true })
@Index('uq_restores_idempotency', ['idempotencyKey'], { unique: true })
export class Restore {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  @Column({ name: 'backup_id', ...idColumn })
  backupId: string;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Backup)
  @JoinColumn({ name: 'backup_id', foreignKeyConstraintName: 'fk_restores_backup' })
  backup?: Backup;

  @Column({ name: 'engine', type: 'varchar', length: '16' })
  engine: EngineKind;

  @Column({ name: 'status', type: 'varchar', length: '16' })
  status: RestoreStatus;

  @Column({ name: 'mode', type: 'varchar', length: '16' })
  mode: RestoreMode;

  /** How far its server has been changed; see `RESTORE_STAGES`. */
  @Column({ name: 'stage', type: 'varchar', length: '16' })
  stage: RestoreStage;

  /** The registered database whose connection is used; null with an inline one, or when it was deleted afterwards. */
  @Column({ name: 'target_database_id', ...idColumn, nullable: true })
  targetDatabaseId: string | null;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Database, { onDelete: 'SET NULL' })
  @JoinColumn({ name: 'target_database_id', foreignKeyConstraintName: 'fk_restores_database' })
  targetDatabase?: Database;

  @Column({ name: 'target_host', type: 'varchar', length: '255' })
  targetHost: string;

  @Column({ name: 'target_port', type: 'integer' })
  targetPort: number;

  /** Name, on the server, of the database that the restore makes or replaces. */
  @Column({ name: 'target_database_name', type: 'text' })
  targetDatabaseName: string;

  /** An inline connection, sealed for this row; gone as soon as nothing is left to do with it. */
  @Column({ name: 'connection_sealed', type: 'text', nullable: true })
  connectionSealed: string | null;

  /** Names server and database while the restore waits or runs, and is null then: no two restores aim at one database. */
  @Column({ name: 'active_target', type: 'varchar', length: '400', nullable: true })
  activeTarget: string | null;

  /** The database that we are making, written before it is made; null once it has its final name or has been dropped. */
  @Column({ name: 'fresh_name', type: 'text', nullable: true })
  freshName: string | null;

  /** The name that the replaced database was given; null when nothing was replaced, or when it has been dropped. */
  @Column({ name: 'kept_as', type: 'text', nullable: true })
  keptAs: string | null;

  /** Only these tables or collections; null: everything. */
  @Column({ name: 'tables', type: 'simple-json', nullable: true })
  tables: string[] | null;

  @Column({ name: 'jobs', type: 'integer' })
  jobs: number;

  @Column({ name: 'safety_backup', type: 'boolean' })
  safetyBackup: boolean;

  @Column({ name: 'keep_old', type: 'boolean' })
  keepOld: boolean;

  @Column({ name: 'end_connections', type: 'boolean' })
  endConnections: boolean;

  /** The backup of the database that is replaced, made by this restore. */
  @Column({ name: 'safety_backup_id', ...idColumn, nullable: true })
  safetyBackupId: string | null;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Backup)
  @JoinColumn({ name: 'safety_backup_id', foreignKeyConstraintName: 'fk_restores_safety_backup' })
  safetyBackupRow?: Backup;

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

  @Column({ name: 'idempotency_key', type: 'varchar', length: '255', nullable: true })
  idempotencyKey: string | null;

  /** Known once the copy has been compared and is equal. Of one that differs `errorFacts` lists the differences. */
  @Column({ name: 'result', type: 'simple-json', nullable: true })
  result: RestoreResult | null;

  @Column({ name: 'error_code', type: 'varchar', length: '64', nullable: true })
  errorCode: string | null;

  @Column({ name: 'error_detail', type: 'text', nullable: true })
  errorDetail: string | null;

  @Column({ name: 'error_retryable', type: 'boolean', nullable: true })
  errorRetryable: boolean | null;

  @Column({ name: 'error_facts', type: 'simple-json', nullable: true })
  errorFacts: object | null;
}
