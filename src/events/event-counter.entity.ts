import { Column, Entity, PrimaryColumn } from 'typeorm';

import { bytesColumn } from '../catalog/columns.js';

/** One row, with the number of the newest event. */
@Entity({ name: 'event_counter' })
export class EventCounter {
  @PrimaryColumn({ name: 'id', type: 'integer' })
  id: number;

  @Column({ name: 'last_number', ...bytesColumn })
  lastNumber: number;
}

/** The id of that row. */
export const THE_COUNTER = 1;
