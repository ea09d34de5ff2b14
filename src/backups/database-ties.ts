import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import {
  type ActiveWork,
  type BackupsChoice,
  type DatabaseDependent,
  DatabaseDependents,
} from '../databases/database-dependents.js';
import { BackupRemoval } from './backup-removal.js';
import { Backup } from './backup.entity.js';

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

  /** Kept backups lose only the tie (the foreign key sets null); deleted ones expire. A locked one forbids the deletion. */
  async onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void> {
    if (backups === 'keep') return;
    const all = await tx.find(Backup, { select: { id: true }, where: { databaseId } });
    for (const { id } of all) await this.removal.request(tx, id, { force: true });
  }
}
