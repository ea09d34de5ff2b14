import { DomainError } from '../errors/domain-error.js';

export class VerificationNotFoundError extends DomainError {
  constructor(id: string) {
    super({
      code: 'verification-not-found',
      kind: 'not-found',
      detail: `There is no verification "${id}". GET /verifications lists them.`,
      facts: { verification_id: id },
    });
  }
}

/** The verification's state does not allow what was asked. */
export class VerificationStateError extends DomainError {
  constructor(verificationId: string, status: string, wanted: string) {
    super({
      code: 'verification-not-in-state',
      kind: 'conflict',
      detail: `Verification ${verificationId} is ${status} and cannot be ${wanted}.`,
      facts: { verification_id: verificationId, status },
    });
  }
}

/** This version has no scratch server to restore to. */
export class VerificationLevelUnavailableError extends DomainError {
  constructor(level: string, available: readonly string[], backupId: string) {
    super({
      code: 'verification-level-unavailable',
      kind: 'unprocessable',
      detail:
        `A verification up to "${level}" restores into a scratch server, which is not in this version; up to ` +
        `${available.join(' or ')} it needs none. POST /backups/${backupId}/restore compares a restored copy with the backup, ` +
        'and raises its evidence to proven.',
      facts: { level, available },
    });
  }
}

export class VerificationCancelledError extends DomainError {
  constructor(verificationId: string) {
    super({
      code: 'verification-cancelled',
      kind: 'conflict',
      detail: `Verification ${verificationId} was cancelled on request; nothing is known by it.`,
      facts: { verification_id: verificationId },
    });
  }
}

/** The archive gave no byte, so nothing can be said of it. */
export class VerificationStalledError extends DomainError {
  constructor(verificationId: string, seconds: number) {
    super({
      code: 'verification-stalled',
      kind: 'timeout',
      detail:
        `Verification ${verificationId} was ended: for STALL_SECONDS = ${seconds} no byte of the archive could be read. ` +
        'Look whether the disk or share of the destination answers.',
      retryable: true,
      facts: { verification_id: verificationId, stall_seconds: seconds },
    });
  }
}

export class VerificationWorkerLostError extends DomainError {
  constructor(attempts: number) {
    super({
      code: 'verification-worker-lost',
      kind: 'unavailable',
      detail:
        `The process that made this verification died, and all ${attempts} attempts are used up (BACKUP_MAX_ATTEMPTS). ` +
        "Look at the service's log and the machine's memory.",
      retryable: true,
      facts: { attempts },
    });
  }
}

/** What was not as the manifest says, of an archive whose bytes are those that were stored. */
export interface ArchiveDifference {
  /** Tables or collections that have rows in the manifest, and no data in the archive. */
  missing: readonly string[];
  plainBytes: { expected: number; found: number };
}

/** Enough to see what is wrong; an answer is no place for ten thousand. */
const MOST_NAMES = 100;
const NAMES_IN_WORDS = 5;

/** The archive can be read, and is not what its manifest describes. */
export class VerificationDiffersError extends DomainError {
  constructor(backupId: string, { missing, plainBytes }: ArchiveDifference) {
    const { expected, found } = plainBytes;
    const more = missing.length - NAMES_IN_WORDS;
    const names = missing.slice(0, NAMES_IN_WORDS).join(', ') + (more > 0 ? `, and ${more} more` : '');
    const what =
      missing.length > 0
        ? `it holds no data of ${names}`
        : `it unpacks to ${found} bytes and not ${expected}`;
    super({
      code: 'verification-differs',
      kind: 'unprocessable',
      detail: `The archive of backup ${backupId} is what was stored, but not what its manifest describes: ${what}. Make another backup, and verify that.`,
      facts: {
        backup_id: backupId,
        missing: missing.slice(0, MOST_NAMES),
        missing_total: missing.length,
        plain_bytes: plainBytes,
      },
    });
  }
}
