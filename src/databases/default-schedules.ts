import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Database } from './database.entity.js';

/** What the fields of a database say of its default schedule. Absent leaves as it is, `null` takes away. */
export interface DefaultScheduleEdits {
  cron?: string | null | undefined;
  intervalHours?: number | null | undefined;
  timezone?: string | null | undefined;
  enabled?: boolean | undefined;
}

/** A default schedule as it was set; `null` is the service's own. */
export interface DefaultSchedule {
  cron: string | null;
  intervalHours: number | null;
  timezone: string | null;
  enabled: boolean;
}

/** Who keeps schedules: the scheduler's room, above this one. Asked inside of the transaction that writes the database. */
export interface ScheduleKeeper {
  /** @throws an error of kind `invalid` for edits that cannot be; then nothing of the transaction happens */
  save(tx: EntityManager, database: Database, edits: DefaultScheduleEdits): Promise<void>;

  /** Of those databases that have one, by their ids. */
  of(entities: EntityManager, databaseIds: readonly string[]): Promise<Map<string, DefaultSchedule>>;
}

/** The door to the keeper, who makes himself known here when he is built (`onModuleInit`), since this room cannot import him. */
@Injectable()
export class DefaultSchedules implements ScheduleKeeper {
  #keeper: ScheduleKeeper | undefined;

  setKeeper(keeper: ScheduleKeeper): void {
    this.#keeper = keeper;
  }

  async save(tx: EntityManager, database: Database, edits: DefaultScheduleEdits): Promise<void> {
    await this.#required().save(tx, database, edits);
  }

  async of(entities: EntityManager, databaseIds: readonly string[]): Promise<Map<string, DefaultSchedule>> {
    return this.#required().of(entities, databaseIds);
  }

  #required(): ScheduleKeeper {
    if (this.#keeper === undefined) throw new Error('nobody keeps schedules');
    return this.#keeper;
  }
}
