import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { RetentionSettings } from '../databases/retention-policy.js';

/** What retention has to know of a schedule. */
export interface KnownSchedule {
  id: string;
  name: string;
  /** It is gone; its policy counts for the backups that it has made. */
  isRemoved: boolean;
  /** Null: what it makes goes by the database's policy. */
  retention: RetentionSettings | null;
  /** When it will run in (`after`, `until`], at most `most` times; all in milliseconds. Empty while it is off. */
  runsBetween(after: number, until: number, most: number): number[];
}

/** The schedules of a database, and the zone in which its days begin; null: TIMEZONE. */
export interface KnownSchedules {
  timezone: string | null;
  schedules: readonly KnownSchedule[];
}

type ReadSchedules = (entities: EntityManager, databaseId: string) => Promise<KnownSchedules>;

/** The scheduler's room, above this one, makes itself known here when it is built. */
@Injectable()
export class ScheduleKnowledge {
  #read: ReadSchedules = async () => Promise.resolve({ timezone: null, schedules: [] });

  setReader(read: ReadSchedules): void {
    this.#read = read;
  }

  async of(entities: EntityManager, databaseId: string): Promise<KnownSchedules> {
    return this.#read(entities, databaseId);
  }
}
