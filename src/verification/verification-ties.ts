import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { BackupUses } from '../backups/backup-uses.js';
import {
  type ActiveWork,
  type DatabaseDependent,
  DatabaseDependents,
} from '../databases/database-dependents.js';
import { ACTIVE_STATUSES } from './verification-lifecycle.js';
import { Verification } from './verification.entity.js';

/** What removing a database, or a backup, means for verifications: an archive that is being read is not taken away. */
@Injectable()
export class VerificationTies implements DatabaseDependent, OnModuleInit {
  constructor(
    private readonly dependents: DatabaseDependents,
    private readonly uses: BackupUses,
  ) {}

  onModuleInit(): void {
    this.dependents.add(this);
    this.uses.add(async (tx, backupId) => activeOnes(tx, { backupId }));
  }

  async activeWork(tx: EntityManager, databaseId: string): Promise<ActiveWork[]> {
    return activeOnes(tx, { databaseId });
  }

  /** The records stay; the foreign key takes the tie away. */
  async onRemove(): Promise<void> {
    // Nothing more belongs to it.
  }
}

async function activeOnes(
  tx: EntityManager,
  of: { backupId: string } | { databaseId: string },
): Promise<ActiveWork[]> {
  const active = await tx.findBy(Verification, { ...of, status: In([...ACTIVE_STATUSES]) });
  return active.map(({ id }) => ({ kind: 'verification', id }));
}
