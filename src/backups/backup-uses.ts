import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { ActiveWork } from '../databases/database-dependents.js';

/** Tells which work of a room above needs a backup's objects now. Only reads rows. */
export type UsesOfBackup = (tx: EntityManager, backupId: string) => Promise<ActiveWork[]>;

/** Rooms above that read archives make themselves known here (`onModuleInit`), since this room cannot import them. */
@Injectable()
export class BackupUses {
  readonly #users: UsesOfBackup[] = [];

  add(uses: UsesOfBackup): void {
    this.#users.push(uses);
  }

  async of(tx: EntityManager, backupId: string): Promise<ActiveWork[]> {
    const found: ActiveWork[] = [];
    for (const uses of this.#users) found.push(...(await uses(tx, backupId)));
    return found;
  }
}
