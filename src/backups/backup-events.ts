import type { NewEvent } from '../events/event-log.js';
import type { EventName } from '../events/event-names.js';
import { EVIDENCE_LEVELS, type BackupStatus } from './backup-states.js';
import type { Backup } from './backup.entity.js';

/** What has happened to a backup that has moved to a state. */
const MOVED: Readonly<Record<BackupStatus, EventName>> = {
  queued: 'BackupRequeued',
  running: 'BackupStarted',
  completed: 'BackupCompleted',
  failed: 'BackupFailed',
  cancelled: 'BackupCancelled',
  expiring: 'BackupMarkedForRemoval',
  expired: 'BackupExpired',
};

/** The event of a move that has made `backup` what it is now. */
export function movedEvent(backup: Backup): NewEvent {
  return { ...backupEvent(MOVED[backup.status], backup), durationMs: durationOf(backup) };
}

/** An event about `backup`; rooms above use it too. */
export function backupEvent(name: EventName, backup: Backup): NewEvent & { facts: object } {
  return {
    name,
    subject: { kind: 'backup', id: backup.id },
    database: { id: backup.databaseId, name: backup.databaseName },
    facts: {
      status: backup.status,
      trigger: backup.trigger,
      attempt: backup.attempt,
      ...(backup.errorCode === null ? {} : { error_code: backup.errorCode }),
      ...(backup.filename === null ? {} : { filename: backup.filename }),
      ...(backup.sizeBytes === null ? {} : { size_bytes: backup.sizeBytes }),
      ...(backup.evidenceLevel === null ? {} : { evidence: EVIDENCE_LEVELS[backup.evidenceLevel] ?? '' }),
    },
  };
}

/** Of the attempt that has ended; undefined while it has not. */
function durationOf({ status, startedAt, completedAt }: Backup): number | undefined {
  if (status !== 'completed' && status !== 'failed') return undefined;
  if (startedAt === null || completedAt === null) return undefined;
  // The machine's clock may have been set back meanwhile.
  return Math.max(0, completedAt.getTime() - startedAt.getTime());
}
