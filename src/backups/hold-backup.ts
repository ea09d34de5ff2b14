import type { EntityManager } from 'typeorm';

import { Backup } from './backup.entity.js';
import { BackupStateError } from './backups.errors.js';

/**
 * Holds a completed backup until the caller's transaction ends, so that it cannot be removed before the work on it shows as such.
 * @param wanted what is to be done with it, as a participle
 * @throws BackupStateError when it is not completed, or is being deleted
 */
export async function holdCompleted(tx: EntityManager, id: string, wanted: string): Promise<void> {
  // An update of nothing takes the row's lock on every dialect.
  const held = await tx.update(Backup, { id, status: 'completed' }, { status: 'completed' });
  if (held.affected === 1) return;
  const now = await tx.findOneBy(Backup, { id });
  throw new BackupStateError(id, now?.status ?? 'gone', wanted);
}
