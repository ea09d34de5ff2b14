import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

import { idColumn, timeColumn } from '../catalog/columns.js';
import type { WorkKind } from './queue.js';

/** One piece of work that is to be done, and who is doing it. Gone when it is done. */
@Entity({ name: 'tickets' })
@Unique('uq_tickets_subject', ['kind', 'subjectId'])
@Index('ix_tickets_run_after', ['runAfter'])
@Index('uq_tickets_exclusive', ['exclusiveKey'], { unique: true, where: 'lease_token IS NOT NULL' })
export class Ticket {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  @Column({ name: 'kind', type: 'varchar', length: 32 })
  kind: WorkKind;

  @Column({ name: 'subject_id', ...idColumn })
  subjectId: string;

  @Column({ name: 'exclusive_key', type: 'varchar', length: 400, nullable: true })
  exclusiveKey: string | null;

  @Column({ name: 'lane', type: 'varchar', length: 300, nullable: true })
  lane: string | null;

  @Column({ name: 'run_after', ...timeColumn })
  runAfter: Date;

  @Column({ name: 'claims', type: 'integer' })
  claims: number;

  /** For when it was sent since its newest claim; who holds the lease may have begun before there was this to do. Null: not since then. */
  @Column({ name: 'asked_for', ...timeColumn, nullable: true })
  askedFor: Date | null;

  /** Both set while a worker holds the lease; a lease whose time is over, or that has none, may be taken by anybody. */
  @Column({ name: 'lease_token', ...idColumn, nullable: true })
  leaseToken: string | null;

  @Column({ name: 'lease_until', ...timeColumn, nullable: true })
  leaseUntil: Date | null;
}
