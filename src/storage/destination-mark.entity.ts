import { Column, Entity, PrimaryColumn } from 'typeorm';

/** By what a destination is known to be the one that our archives lie at. See `MarkedStorage`. */
@Entity({ name: 'destination_marks' })
export class DestinationMark {
  @PrimaryColumn({ name: 'destination', type: 'varchar', length: 1024 })
  destination: string;

  /** What its mark says; null when it was in use before there were marks, and has not been seen since. */
  @Column({ name: 'mark', type: 'varchar', length: 36, nullable: true })
  mark: string | null;

  /** An object that lay there when `mark` was still null: only where it lies is the mark made. */
  @Column({ name: 'witness_key', type: 'varchar', length: 400, nullable: true })
  witnessKey: string | null;
}
