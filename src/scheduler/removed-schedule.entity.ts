import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { idColumn } from '../catalog/columns.js';
import { Database } from '../databases/database.entity.js';
import type { RetentionSettings } from '../databases/retention-policy.js';

/**
 * What a schedule that had a policy of its own said of the backups that it made, which outlive it: who takes a schedule away says
 * that no more backups are to be made, and not that those of ten years may go. Gone with its database, or with the last of them.
 */
@Entity({ name: 'removed_schedules' })
@Index('ix_removed_schedules_database', ['databaseId'])
export class RemovedSchedule {
  /** The id that the schedule had; no other one gets it. */
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  @Column({ name: 'database_id', ...idColumn })
  databaseId: string;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Database, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'database_id', foreignKeyConstraintName: 'fk_removed_schedules_database' })
  database?: Database;

  @Column({ name: 'name', type: 'varchar', length: 63 })
  name: string;

  @Column({ name: 'retention', type: 'simple-json' })
  retention: RetentionSettings;
}
