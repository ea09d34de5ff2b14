import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';

import type { ArchiveNames } from '../archive/archive-format.js';
import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { StorageRegistry } from '../storage/storage-registry.js';
import type { AttemptPlan } from './attempt-planner.js';
import { BackupCopy } from './backup-copy.entity.js';
import { Backup } from './backup.entity.js';

/** Two attempts within one second get different names; nobody makes this many. */
const MOST_SEQUENCES = 100;

/** What of an attempt its names depend on. */
export type NamedAttempt = Pick<AttemptPlan, 'backup' | 'attempt' | 'destination' | 'scope'>;

/** Writes the names of an attempt's objects into the catalog, before the first byte is stored under them. */
@Injectable()
export class CopyReservations {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly storages: StorageRegistry,
  ) {}

  /**
   * Finds names that neither the catalog nor the destination knows, and takes them.
   * @param name gives the names for a sequence number, from 1
   */
  async reserve(plan: NamedAttempt, name: (sequence: number) => ArchiveNames): Promise<ArchiveNames> {
    for (let sequence = 1; sequence <= MOST_SEQUENCES; sequence += 1) {
      const names = name(sequence);
      if ((await this.#isFree(plan, names)) && (await this.#take(plan, names))) return names;
    }
    throw new Error(`no free archive name for ${plan.backup.databaseName}`);
  }

  /** A foreign file under our name would be refused by the storage later, but must never come to be named as ours. */
  async #isFree(plan: NamedAttempt, names: ArchiveNames): Promise<boolean> {
    const storage = this.storages.open(plan.destination);
    for (const key of keysOf(plan, names)) if ((await storage.stat(key)) !== undefined) return false;
    return true;
  }

  async #take(plan: NamedAttempt, names: ArchiveNames): Promise<boolean> {
    const { backup, attempt, destination } = plan;
    const key = names.dataKey;
    return this.catalog.write(async (tx) => {
      if (await tx.existsBy(BackupCopy, { destination, key })) return false;
      await tx.insert(BackupCopy, {
        id: uuidv7(),
        backupId: backup.id,
        attempt,
        destination,
        key,
        manifestKey: names.manifestKey,
        keys: keysOf(plan, names),
        state: 'writing',
        createdAt: this.clock.now(),
      });
      await tx.update(Backup, { id: backup.id, attempt }, { filename: names.dataFilename });
      return true;
    });
  }
}

/** Every object that the attempt may store, in the order of writing. */
function keysOf(plan: NamedAttempt, names: ArchiveNames): string[] {
  const roles = plan.scope.includeRoles ? [names.rolesKey] : [];
  return [names.dataKey, ...roles, names.manifestKey];
}
