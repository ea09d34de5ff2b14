import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { idColumn, timeColumn } from '../catalog/columns.js';
import { Database } from '../databases/database.entity.js';
import type { RetentionSettings } from '../databases/retention-policy.js';
import type { Blackout } from './blackouts.js';

/** What becomes of runs that were missed: the newest of them is made up for, or none. */
export const CATCH_UPS = ['run', 'skip'] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** When a schedule fires, in the words of the API. Neither `cron` nor `intervalHours`: never. */
export interface Firing {
  cron: string | null;
  intervalHours: number | null;
  timezone: string;
}

/** The name of the schedule that a database's own fields (`schedule`, `interval_hours`, …) speak of. */
export const DEFAULT_SCHEDULE = 'default';

/** When a database is backed up. Without `cron` and `intervalHours` it follows the service's own `BACKUP_SCHEDULE`. */
@Entity({ name: 'schedules' })
@Index('uq_schedules_name', ['databaseId', 'name'], { unique: true })
@Index('uq_schedules_idempotency', ['idempotencyKey'], { unique: true })
@Index('ix_schedules_next', ['nextRunAt'])
@Index('ix_schedules_settled', ['settledUntil'])
export class Schedule {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  @Column({ name: 'database_id', ...idColumn })
  databaseId: string;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Database, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'database_id', foreignKeyConstraintName: 'fk_schedules_database' })
  database?: Database;

  @Column({ name: 'name', type: 'varchar', length: 63 })
  name: string;

  @Column({ name: 'cron', type: 'varchar', length: 255, nullable: true })
  cron: string | null;

  @Column({ name: 'interval_hours', type: 'integer', nullable: true })
  intervalHours: number | null;

  /** Null: the service's TIMEZONE. */
  @Column({ name: 'timezone', type: 'varchar', length: 64, nullable: true })
  timezone: string | null;

  @Column({ name: 'enabled', type: 'boolean' })
  enabled: boolean;

  @Column({ name: 'catch_up', type: 'varchar', length: 8 })
  catchUp: CatchUp;

  @Column({ name: 'jitter_seconds', type: 'integer' })
  jitterSeconds: number;

  @Column({ name: 'blackouts', type: 'simple-json' })
  blackouts: Blackout[];

  /** A policy for what it makes; null: the database's. */
  @Column({ name: 'retention', type: 'simple-json', nullable: true })
  retention: RetentionSettings | null;

  /** Intervals are counted from here. */
  @Column({ name: 'anchor_at', ...timeColumn })
  anchorAt: Date;

  /**
   * When it fires by its own words and those that the service had for it at its last edit or start. The ticker goes by this, and
   * `nextRunAt` was computed from it, so that another meaning is seen and not guessed. Null in rows of versions before.
   */
  @Column({ name: 'firing', type: 'simple-json', nullable: true })
  firing: Firing | null;

  /** Every run up to here has been made, told of as missed, or left out on purpose; whoever moves this on decides about those between. */
  @Column({ name: 'settled_until', ...timeColumn })
  settledUntil: Date;

  /** The run that has been decided on and has not begun: a blackout puts it off, or the ticker has not looked yet. */
  @Column({ name: 'owed_at', ...timeColumn, nullable: true })
  owedAt: Date | null;

  /** When the ticker has to look again: the next run with its jitter, or the end of a blackout. Null while it never fires. */
  @Column({ name: 'next_run_at', ...timeColumn, nullable: true })
  nextRunAt: Date | null;

  /** When it last asked for a backup, and for which. */
  @Column({ name: 'last_run_at', ...timeColumn, nullable: true })
  lastRunAt: Date | null;

  @Column({ name: 'last_backup_id', ...idColumn, nullable: true })
  lastBackupId: string | null;

  @Column({ name: 'created_at', ...timeColumn })
  createdAt: Date;

  @Column({ name: 'updated_at', ...timeColumn })
  updatedAt: Date;

  /** Of the request that made it; see `Origin`. */
  @Column({ name: 'idempotency_key', type: 'varchar', length: 255, nullable: true })
  idempotencyKey: string | null;

  @Column({ name: 'request_mark', type: 'varchar', length: 64, nullable: true })
  requestMark: string | null;
}
