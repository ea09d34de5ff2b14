import type { NewEvent } from '../events/event-log.js';
import type { EventName } from '../events/event-names.js';
import { outcomeOf } from './copy-result.js';
import type { VerificationStatus } from './verification-states.js';
import type { Verification } from './verification.entity.js';

/** What has happened to a verification that has moved to a state. */
const MOVED: Readonly<Record<VerificationStatus, EventName>> = {
  queued: 'VerificationRequeued',
  running: 'VerificationStarted',
  completed: 'VerificationCompleted',
  failed: 'VerificationFailed',
  cancelled: 'VerificationCancelled',
};

/** The event of a move that has made `verification` what it is now. */
export function verificationMovedEvent(verification: Verification): NewEvent {
  return verificationEvent(MOVED[verification.status], verification);
}

export function verificationEvent(name: EventName, verification: Verification): NewEvent {
  const { id, databaseId, databaseName, levelReached, errorCode } = verification;
  const outcome = outcomeOf(verification);
  return {
    name,
    subject: { kind: 'verification', id },
    database: { id: databaseId, name: databaseName },
    durationMs: durationOf(verification),
    facts: {
      status: verification.status,
      backup_id: verification.backupId,
      level: verification.level,
      attempt: verification.attempt,
      ...(outcome === null ? {} : { outcome }),
      ...(levelReached === null ? {} : { level_reached: levelReached }),
      ...(errorCode === null ? {} : { error_code: errorCode }),
    },
  };
}

/** Of the attempt that has ended; undefined while it has not. */
function durationOf({ status, startedAt, completedAt }: Verification): number | undefined {
  if (status !== 'completed' && status !== 'failed') return undefined;
  if (startedAt === null || completedAt === null) return undefined;
  return Math.max(0, completedAt.getTime() - startedAt.getTime());
}
