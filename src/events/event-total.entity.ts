import { Column, Entity, PrimaryColumn } from 'typeorm';

import { bytesColumn, idColumn } from '../catalog/columns.js';
import type { EventName } from './event-names.js';

/**
 * How often something has happened to a database since it was registered, and how long it took. Written with each event, so
 * that it survives restarts and the removal of old events. Stays when the database is gone: sums over all of them never sink.
 */
@Entity({ name: 'event_totals' })
export class EventTotal {
  @PrimaryColumn({ name: 'event_name', type: 'varchar', length: 40 })
  eventName: EventName;

  /** {@link NO_DATABASE} for what belongs to none. */
  @PrimaryColumn({ name: 'database_id', ...idColumn })
  databaseId: string;

  @Column({ name: 'count', ...bytesColumn })
  count: number;

  /** Sum of the durations; 0 for events that take no time. */
  @Column({ name: 'duration_ms', ...bytesColumn })
  durationMs: number;

  /** How many took at most as long as the bound of the same index in `DURATION_BOUNDS`; not cumulative. */
  @Column({ name: 'duration_buckets', type: 'simple-json' })
  durationBuckets: number[];
}

/** In the place of an id, since a part of a key cannot be null. */
export const NO_DATABASE = '';

/**
 * Upper bounds of the durations that are told apart, in seconds: from a small table to a night. A part of what is stored:
 * changing them needs a migration.
 */
export const DURATION_BOUNDS = [
  0.5, 1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400,
] as const;
