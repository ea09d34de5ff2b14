import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { idColumn, timeColumn } from '../catalog/columns.js';
import type { CopyState } from './backup-states.js';
import { Backup } from './backup.entity.js';

/** The objects of one attempt at one destination. Only objects named here are ever removed. */
@Entity({ name: 'backup_copies' })
@Index('ix_backup_copies_backup', ['backupId'])
@Index('ix_backup_copies_state', ['state', 'createdAt'])
@Index('uq_backup_copies_key', ['destination', 'key'], { unique: true })
export class BackupCopy {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  @Column({ name: 'backup_id', ...idColumn })
  backupId: string;

  /** For the constraint only; never loaded. */
  @ManyToOne(() => Backup)
  @JoinColumn({ name: 'backup_id', foreignKeyConstraintName: 'fk_backup_copies_backup' })
  backup?: Backup;

  @Column({ name: 'attempt', type: 'integer' })
  attempt: number;

  @Column({ name: 'destination', type: 'varchar', length: 1024 })
  destination: string;

  /** Key of the data part; unique in its destination for ever, so that no attempt can touch another's objects. */
  @Column({ name: 'key', type: 'varchar', length: 400 })
  key: string;

  @Column({ name: 'manifest_key', type: 'varchar', length: 400 })
  manifestKey: string;

  /** Every key that the attempt may create, in the order of writing: parts first, the manifest last. */
  @Column({ name: 'keys', type: 'simple-json' })
  keys: string[];

  @Column({ name: 'state', type: 'varchar', length: 16 })
  state: CopyState;

  /** When it was found `damaged` or `missing`, and why; null while nothing is known against it. */
  @Column({ name: 'fault_at', ...timeColumn, nullable: true })
  faultAt: Date | null;

  @Column({ name: 'fault_code', type: 'varchar', length: 64, nullable: true })
  faultCode: string | null;

  @Column({ name: 'fault_detail', type: 'text', nullable: true })
  faultDetail: string | null;

  @Column({ name: 'created_at', ...timeColumn })
  createdAt: Date;
}
