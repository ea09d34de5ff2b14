import { Column, Entity, PrimaryColumn } from 'typeorm';

import { timeColumn } from './columns.js';

/** One row that is written to learn whether the catalog can be written, which no reading shows. */
@Entity({ name: 'readiness' })
export class Readiness {
  @PrimaryColumn({ name: 'name', type: 'varchar', length: '20' })
  name: string;

  @Column({ name: 'checked_at', ...timeColumn })
  checkedAt: Date;
}
