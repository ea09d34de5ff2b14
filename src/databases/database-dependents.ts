import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What becomes of a database's backups when it is removed. */
export const BACKUPS_CHOICES = ['keep', 'delete'] as const;
export type BackupsChoice = (typeof BACKUPS_CHOICES)[number];

/** Work on a database that is not over. */
export interface ActiveWork {
  /** As people call it: `backup`, `restore`. */
  kind: string;
  id: string;
}

/**
 * What a room above has to say when a database is removed. It is asked inside the transaction that removes the row, which is
 * held by then (see `holdDatabase`); it may only read and write rows.
 */
export interface DatabaseDependent {
  /** Work that forbids the removal. */
  activeWork(tx: EntityManager, databaseId: string): Promise<ActiveWork[]>;

  /** Does what belongs to the removal; whatever it throws undoes all of it. */
  onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void>;
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

  async onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void> {
    for (const dependent of this.#dependents) await dependent.onRemove(tx, databaseId, backups);
  }
}
