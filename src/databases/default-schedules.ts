import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';

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

/** The default schedules of those databases that have one, by the databases' ids. */
export type ReadDefaultSchedules = (
  entities: EntityManager,
  databaseIds: readonly string[],
) => Promise<Map<string, DefaultSchedule>>;

/**
 * Lets databases show their default schedules. The scheduler's room, above this one, keeps them, and makes itself known here when it
 * is built (`onModuleInit`), since this room cannot import it. Changes go to it by `DatabaseDependent.onSave`.
 */
@Injectable()
export class DefaultSchedules {
  #read: ReadDefaultSchedules = async () => Promise.resolve(new Map<string, DefaultSchedule>());

  constructor(private readonly catalog: Catalog) {}

  setReader(read: ReadDefaultSchedules): void {
    this.#read = read;
  }

  /** By the databases' ids; a database without one is absent. */
  async of(databases: readonly { id: string }[]): Promise<Map<string, DefaultSchedule>> {
    return this.#read(
      this.catalog.read,
      databases.map(({ id }) => id),
    );
  }
}
