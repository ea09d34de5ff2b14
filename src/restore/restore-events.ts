import type { EntityManager } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import type { NewEvent } from '../events/event-log.js';
import type { EventName } from '../events/event-names.js';
import type { RestoreStatus } from './restore-states.js';
import type { Restore } from './restore.entity.js';

/** What has happened to a restore that has moved to a state. */
const MOVED: Readonly<Record<RestoreStatus, EventName>> = {
  queued: 'RestoreRequeued',
  running: 'RestoreStarted',
  completed: 'RestoreCompleted',
  failed: 'RestoreFailed',
  cancelled: 'RestoreCancelled',
};

/** The event of a move that has made `restore` what it is now. */
export async function restoreMovedEvent(tx: EntityManager, restore: Restore): Promise<NewEvent> {
  return restoreEvent(tx, MOVED[restore.status], restore);
}

/** An event about `restore`. It belongs to the database that was backed up, wherever it is restored to. */
export async function restoreEvent(tx: EntityManager, name: EventName, restore: Restore): Promise<NewEvent> {
  const backup = await tx.findOneByOrFail(Backup, { id: restore.backupId });
  return {
    name,
    subject: { kind: 'restore', id: restore.id },
    database: { id: backup.databaseId, name: backup.databaseName },
    durationMs: durationOf(restore),
    facts: {
      status: restore.status,
      backup_id: restore.backupId,
      mode: restore.mode,
      attempt: restore.attempt,
      target_database_name: restore.targetDatabaseName,
      ...(restore.errorCode === null || restore.errorCode === undefined
        ? {}
        : { error_code: restore.errorCode }),
    },
  };
}

/** Of the attempt that has ended; undefined while it has not. */
function durationOf({ status, startedAt, completedAt }: Restore): number | undefined {
  if (status !== 'completed' && status !== 'failed') return undefined;
  if (startedAt === null || completedAt === null) return undefined;
  return Math.max(0, completedAt.getTime() - startedAt.getTime());
}
