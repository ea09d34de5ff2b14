import { Column, Entity, PrimaryColumn } from 'typeorm';

import { bytesColumn, idColumn, timeColumn } from '../catalog/columns.js';
import type { EventName, SubjectKind } from './event-names.js';

/** Small facts about an event, named as the API names them. No secret, no text that a tool wrote. */
export type EventFacts = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** One thing that happened. Ties to nothing: it stays as it was when its subject is gone, until it is old. */
@Entity({ name: 'events' })
export class RecordedEvent {
  /** In the order of the commits, without holes; see `EventLog`. */
  @PrimaryColumn({ name: 'number', ...bytesColumn })
  number: number;

  @Column({ name: 'name', type: 'varchar', length: 40 })
  name: EventName;

  @Column({ name: 'at', ...timeColumn })
  at: Date;

  @Column({ name: 'subject_kind', type: 'varchar', length: 16 })
  subjectKind: SubjectKind;

  @Column({ name: 'subject_id', ...idColumn })
  subjectId: string;

  @Column({ name: 'database_id', ...idColumn, nullable: true })
  databaseId: string | null;

  @Column({ name: 'database_name', type: 'varchar', length: 63, nullable: true })
  databaseName: string | null;

  @Column({ name: 'facts', type: 'simple-json' })
  facts: EventFacts;
}
