import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In, Not } from 'typeorm';

import {
  type ActiveWork,
  type BackupsChoice,
  type DatabaseDependent,
  DatabaseDependents,
} from '../databases/database-dependents.js';
import { BackupRemoval } from './backup-removal.js';
import type { BackupStatus } from './backup-states.js';
import { Backup } from './backup.entity.js';
import { BackupLockedError } from './backups.errors.js';

/** How many backups one transaction expires. */
const AT_ONCE = 100;
/** Those whose removal has been asked for. */
const REMOVED: BackupStatus[] = ['expiring', 'expired'];

/** What removing a database means for its backups. */
@Injectable()
export class DatabaseTies implements DatabaseDependent, OnModuleInit {
  constructor(
    private readonly dependents: DatabaseDependents,
    private readonly removal: BackupRemoval,
  ) {}

  onModuleInit(): void {
    this.dependents.add(this);
  }

  async activeWork(tx: EntityManager, databaseId: string): Promise<ActiveWork[]> {
    const active = await tx.findBy(Backup, { databaseId, status: In(['queued', 'running']) });
    return active.map(({ id }) => ({ kind: 'backup', id }));
  }

  /**
   * Expires some of the backups. Whether one of all is locked is asked first each time, so that a removal that cannot end well
   * does not begin.
   */
  async removeAhead(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<boolean> {
    if (backups === 'keep') return false;
    const locked = await tx.findOneBy(Backup, { databaseId, locked: true, status: Not(In(REMOVED)) });
    if (locked !== null) throw new BackupLockedError(locked.id);
    const some = await tx.find(Backup, {
      select: { id: true },
      where: { databaseId, status: Not(In(REMOVED)) },
      take: AT_ONCE,
    });
    for (const { id } of some) await this.removal.request(tx, id, { force: true });
    return some.length === AT_ONCE;
  }

  /** Kept backups lose only the tie (the foreign key sets null); deleted ones expire. A locked one forbids the deletion. */
  async onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void> {
    if (backups === 'keep') return;
    const where = { databaseId, status: Not(In(REMOVED)) };
    const all = await tx.find(Backup, { select: { id: true }, where });
    for (const { id } of all) await this.removal.request(tx, id, { force: true });
  }
}
