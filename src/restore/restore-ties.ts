import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In, IsNull, Not } from 'typeorm';

import { BackupUses } from '../backups/backup-uses.js';
import { Backup } from '../backups/backup.entity.js';
import {
  type ActiveWork,
  type DatabaseDependent,
  DatabaseDependents,
} from '../databases/database-dependents.js';
import { Restore } from './restore.entity.js';

/** What removing a database, or a backup, means for restores: those that need it come to their end first. */
@Injectable()
export class RestoreTies implements DatabaseDependent, OnModuleInit {
  constructor(
    private readonly dependents: DatabaseDependents,
    private readonly uses: BackupUses,
  ) {}

  onModuleInit(): void {
    this.dependents.add(this);
    this.uses.add(async (tx, backupId) => this.#restoresOf(tx, backupId));
  }

  async activeWork(tx: EntityManager, databaseId: string): Promise<ActiveWork[]> {
    const status = In(['queued', 'running']);
    const into = await tx.find(Restore, {
      where: [
        { targetDatabaseId: databaseId, status },
        // Something of ours is left on its server, and is still to be dropped.
        { targetDatabaseId: databaseId, freshName: Not(IsNull()) },
      ],
    });
    const from = await tx
      .createQueryBuilder(Restore, 'r')
      .innerJoin(Backup, 'b', 'b.id = r.backup_id')
      .where({ status })
      .andWhere('b.database_id = :databaseId', { databaseId })
      .getMany();
    const ids = new Set([...into, ...from].map((restore) => restore.id));
    return [...ids].map((id) => ({ kind: 'restore', id }));
  }

  async #restoresOf(tx: EntityManager, backupId: string): Promise<ActiveWork[]> {
    const status = In(['queued', 'running']);
    const active = await tx.findBy(Restore, [
      { backupId, status },
      { safetyBackupId: backupId, status },
    ]);
    return active.map(({ id }) => ({ kind: 'restore', id }));
  }

  /** The records stay; the foreign key takes the tie away. */
  async onRemove(): Promise<void> {
    // Nothing more belongs to it.
  }
}
