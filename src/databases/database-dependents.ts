import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Database } from './database.entity.js';
import type { DefaultScheduleEdits } from './default-schedules.js';

/** What becomes of a database's backups when it is removed. */
export const BACKUPS_CHOICES = ['keep', 'delete'] as const;
export type BackupsChoice = (typeof BACKUPS_CHOICES)[number];

/** Work on a database that is not over. */
export interface ActiveWork {
  /** As people call it: `backup`, `restore`, `verification`. */
  kind: string;
  id: string;
}

/**
 * What a room above has to say when a database is removed, registered or changed. It is asked inside the transaction that writes the
 * row, which is held by then (see `holdDatabase`); it may only read and write rows.
 */
export interface DatabaseDependent {
  /** Work that forbids the removal. */
  activeWork(tx: EntityManager, databaseId: string): Promise<ActiveWork[]>;

  /**
   * Does a bounded piece of what belongs to the removal ahead of it, in a transaction of its own, so that no transaction grows with
   * the age of the installation. Gives whether there is more. What it throws ends the removal; pieces before stay done.
   */
  removeAhead?(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<boolean>;

  /** Does what is left of the removal; whatever it throws undoes that. */
  onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void>;

  /** Does what belongs to a registration or a change; whatever it throws undoes all of it. Gives whether it changed anything. */
  onSave?(tx: EntityManager, database: Database, schedule: DefaultScheduleEdits): Promise<boolean>;
}

/** Rooms above make themselves known here when they are built (`onModuleInit`), since this room cannot import them. */
@Injectable()
export class DatabaseDependents {
  readonly #dependents: DatabaseDependent[] = [];

  add(dependent: DatabaseDependent): void {
    this.#dependents.push(dependent);
  }

  async activeWork(tx: EntityManager, databaseId: string): Promise<ActiveWork[]> {
    const active: ActiveWork[] = [];
    for (const dependent of this.#dependents) active.push(...(await dependent.activeWork(tx, databaseId)));
    return active;
  }

  /** Gives whether there is more. */
  async removeAhead(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<boolean> {
    let hasMore = false;
    for (const dependent of this.#dependents) {
      hasMore = (await dependent.removeAhead?.(tx, databaseId, backups)) === true || hasMore;
    }
    return hasMore;
  }

  /** Gives whether anything changed. */
  async onSave(tx: EntityManager, database: Database, schedule: DefaultScheduleEdits): Promise<boolean> {
    let hasChanged = false;
    for (const dependent of this.#dependents) {
      hasChanged = (await dependent.onSave?.(tx, database, schedule)) === true || hasChanged;
    }
    return hasChanged;
  }

  async onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void> {
    for (const dependent of this.#dependents) await dependent.onRemove(tx, databaseId, backups);
  }
}
