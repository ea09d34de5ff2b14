import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { idColumn } from '../catalog/columns.js';
import { Backup } from './backup.entity.js';

/** What the tools printed during a backup's attempts: bounded and scrubbed. */
@Entity({ name: 'backup_logs' })
export class BackupLog {
  @PrimaryColumn({ name: 'backup_id', ...idColumn })
  backupId: string;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Backup)
  @JoinColumn({ name: 'backup_id', foreignKeyConstraintName: 'fk_backup_logs_backup' })
  backup?: Backup;

  @PrimaryColumn({ name: 'attempt', type: 'integer' })
  attempt: number;

  @Column({ name: 'text', type: 'text' })
  text: string;
}
