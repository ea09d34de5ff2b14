import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { idColumn, timeColumn } from '../catalog/columns.js';
import { Database } from '../databases/database.entity.js';
import type { RetentionSettings } from '../databases/retention-policy.js';
import type { Blackout } from './blackouts.js';

/** What becomes of runs that were missed: the newest of them is made up for, or none. */
export const CATCH_UPS = ['run', 'skip'] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** The name of the schedule that a database's own fields (`schedule`, `interval_hours`, …) speak of. */
export const DEFAULT_SCHEDULE = 'default';

/** When a database is backed up. Without `cron` and `intervalHours` it follows the service's own `BACKUP_SCHEDULE`. */
@Entity({ name: 'schedules' })
@Index('uq_schedules_name', ['databaseId', 'name'], { unique: true })
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

  /** Every slot up to here has been run, missed or left out on purpose; whoever moves this on decides about the slots between. */
  @Column({ name: 'settled_until', ...timeColumn })
  settledUntil: Date;

  /** When the ticker has to look again: the next slot, with its jitter. Null while it never fires. */
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
}
