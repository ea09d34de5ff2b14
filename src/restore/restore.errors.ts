import { type ContentDifference, describeDifference } from '../engines/content-comparison.js';
import { DomainError } from '../errors/domain-error.js';

export class RestoreNotFoundError extends DomainError {
  constructor(id: string) {
    super({
      code: 'restore-not-found',
      kind: 'not-found',
      detail: `There is no restore "${id}". GET /restores lists them.`,
      facts: { restore_id: id },
    });
  }
}

/** The restore's state does not allow what was asked. */
export class RestoreStateError extends DomainError {
  constructor(restoreId: string, state: string, wanted: string) {
    super({
      code: 'restore-not-in-state',
      kind: 'conflict',
      detail: `Restore ${restoreId} is ${state} and cannot be ${wanted}.`,
      facts: { restore_id: restoreId, state },
    });
  }
}

export class RestoreCancelledError extends DomainError {
  constructor(restoreId: string) {
    super({
      code: 'restore-cancelled',
      kind: 'conflict',
      detail: `Restore ${restoreId} was cancelled on request; nothing of it is left.`,
      facts: { restore_id: restoreId },
    });
  }
}

/** Nothing moved, and nobody saw the server at work. */
export class RestoreStalledError extends DomainError {
  constructor(restoreId: string, seconds: number) {
    super({
      code: 'restore-stalled',
      kind: 'timeout',
      detail:
        `Restore ${restoreId} was ended: for STALL_SECONDS = ${seconds} no byte moved and the server was not seen at work. ` +
        'Look whether the server still answers, and whether the archive can be read.',
      retryable: true,
      facts: { restore_id: restoreId, stall_seconds: seconds },
    });
  }
}

/** What a waiting request is told when the restore it waited for did not complete. */
export class RestoreNotCompletedError extends DomainError {
  constructor(restoreId: string, status: string, error: { code: string; detail: string } | null) {
    super({
      code: 'restore-not-completed',
      kind: 'unprocessable',
      detail: `Restore ${restoreId} is ${status}${error ? `: ${error.detail}` : '.'}`,
      facts: { restore_id: restoreId, status, error },
    });
  }
}

/** `?wait=` ran out; the restore goes on. */
export class RestoreWaitTimeoutError extends DomainError {
  constructor(restoreId: string, status: string, seconds: number) {
    super({
      code: 'restore-wait-timeout',
      kind: 'timeout',
      detail: `Restore ${restoreId} is still ${status} after ${seconds} s. It goes on; see GET /restores/${restoreId}.`,
      retryable: true,
      facts: { restore_id: restoreId, status },
    });
  }
}

/** Which backup is meant cannot be told. */
export class BackupChoiceError extends DomainError {
  constructor(complaint: string) {
    super({
      code: 'backup-not-chosen',
      kind: 'invalid',
      detail: `Say which backup is to be restored, by backup_id or by filename: ${complaint}.`,
    });
  }
}

/** Where the backup is to be restored to cannot be told. */
export class RestoreTargetMissingError extends DomainError {
  constructor(complaint: string) {
    super({
      code: 'restore-target-missing',
      kind: 'invalid',
      detail: `Say where to restore to: ${complaint}.`,
    });
  }
}

export class RestoreTargetAmbiguousError extends DomainError {
  constructor() {
    super({
      code: 'restore-target-ambiguous',
      kind: 'invalid',
      detail: 'target has both database_id and connection, and only one of them can count. Leave one out.',
    });
  }
}

/** Two restores into one database would destroy each other's work, or replace it twice. */
export class RestoreTargetBusyError extends DomainError {
  constructor(restoreId: string, status: string, databaseName: string) {
    super({
      code: 'restore-target-busy',
      kind: 'conflict',
      detail:
        `Restore ${restoreId}, which is ${status}, already aims at the database ${JSON.stringify(databaseName)}. ` +
        'Wait for it, or cancel it.',
      retryable: true,
      facts: { restore_id: restoreId, status, database_name: databaseName },
    });
  }
}

export class RestoreEngineMismatchError extends DomainError {
  constructor(backupEngine: string, targetEngine: string) {
    super({
      code: 'restore-engine-mismatch',
      kind: 'unprocessable',
      detail: `A backup of ${backupEngine} cannot be restored to a server of ${targetEngine}.`,
      facts: { backup_engine: backupEngine, target_engine: targetEngine },
    });
  }
}

/** Replacing a database is never done by accident. */
export class ConfirmationMissingError extends DomainError {
  constructor(expected: string, registered: boolean, given: string | undefined) {
    const name = JSON.stringify(expected);
    const which = registered ? 'the name under which it is registered' : 'its name on the server';
    super({
      code: 'confirmation-missing',
      kind: 'invalid',
      detail:
        `mode "replace" puts the backup in the place of the database ${name}. If that is what you want, ` +
        `send "confirm": ${name}, ${which}` +
        `${given === undefined ? '' : `; it was ${JSON.stringify(given)}`}. Nothing was touched.`,
      facts: { expected },
    });
  }
}

/** Names that a message still can be read with. */
const MOST_NAMES = 5;

/** What a backup leaves out would be lost if it took the place of a whole database. */
export class BackupPartialError extends DomainError {
  /** @param limits the options that limited the backup, by the names that they have in the API */
  constructor(limits: Readonly<Record<string, readonly string[]>>) {
    const told = Object.entries(limits).map(([option, names]) => {
      const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : '';
      return `${option}: ${names.slice(0, MOST_NAMES).join(', ')}${more}`;
    });
    super({
      code: 'backup-partial',
      kind: 'unprocessable',
      detail:
        `The backup does not hold the whole database (${told.join('; ')}), so in its place everything else would be lost. ` +
        'Restore it into a new database (mode "new") and copy from there what is needed. Nothing was touched.',
      facts: { ...limits },
    });
  }
}

export class TablesNotAllowedError extends DomainError {
  constructor() {
    super({
      code: 'tables-not-allowed',
      kind: 'invalid',
      detail:
        'mode "replace" puts a whole database in the place of another, so it cannot be limited to tables. ' +
        'Restore the tables into a new database (mode "new") and copy from there what is needed.',
    });
  }
}

/** The format of the archive cannot do it. */
export class RestoreChoiceUnsupportedError extends DomainError {
  constructor(choice: 'tables' | 'jobs', format: string, supporting: readonly string[]) {
    super({
      code: 'restore-choice-unsupported',
      kind: 'unprocessable',
      detail:
        `The backup has the format ${format}, and ${choice} can be chosen only with ` +
        `${supporting.length === 0 ? 'other engines' : supporting.join(', ')}. Leave ${choice} out to restore all of it.`,
      facts: { choice, format, supporting },
    });
  }
}

/** Only registered databases can be backed up, so a database beside them cannot be replaced safely. */
export class SafetyBackupImpossibleError extends DomainError {
  constructor(databaseName: string) {
    super({
      code: 'safety-backup-impossible',
      kind: 'invalid',
      detail:
        `The database ${JSON.stringify(databaseName)} is not registered, so no safety backup of it can be made before it is ` +
        'replaced. Register it and restore with its database_id, or send "safety_backup": false: the old database is ' +
        'then kept under another name, and nothing else protects it.',
      facts: { database_name: databaseName },
    });
  }
}

/** Without the safety backup nothing is replaced. */
export class SafetyBackupFailedError extends DomainError {
  constructor(backupId: string, status: string, error: { code: string; detail: string } | null) {
    super({
      code: 'safety-backup-failed',
      kind: 'unprocessable',
      detail:
        `The safety backup ${backupId} is ${status}${error ? ` (${error.detail})` : ''}, so nothing was replaced. ` +
        'Mend its cause, or send "safety_backup": false when the database is beyond being backed up.',
      facts: { backup_id: backupId, status, error },
    });
  }
}

/** Enough to see what is wrong; a row is no place for ten thousand. */
const MOST_DIFFERENCES = 100;

/** The copy is not what the backup holds. It was dropped. */
export class RestoreDiffersError extends DomainError {
  constructor(differences: readonly ContentDifference[]) {
    const [first] = differences;
    const more = differences.length - 1;
    super({
      code: 'restore-differs',
      kind: 'unprocessable',
      detail:
        `The restored copy does not equal the backup: ${first === undefined ? '' : describeDifference(first)}` +
        `${more > 0 ? `, and ${more} further differences` : ''}. It was dropped; nothing else was touched.`,
      facts: { differences: differences.slice(0, MOST_DIFFERENCES), differences_total: differences.length },
    });
  }
}

export class RestoreWorkerLostError extends DomainError {
  constructor(attempts: number) {
    super({
      code: 'restore-worker-lost',
      kind: 'unavailable',
      detail:
        `The process that made this restore died, and all ${attempts} attempts are used up (BACKUP_MAX_ATTEMPTS). ` +
        "Look at the service's log and the machine's memory.",
      retryable: true,
      facts: { attempts },
    });
  }
}

/** The server stopped answering while the names of its databases were changing. */
export class PlacementLostError extends DomainError {
  static readonly code = 'restore-placement-lost';

  /** @param outcome `unknown` until the server answers again and its databases' names tell */
  constructor(outcome: 'unknown' | 'not placed', cause?: unknown) {
    super({
      code: 'restore-placement-lost',
      kind: 'unavailable',
      detail:
        'The server stopped answering while the restored database was given its final name. ' +
        (outcome === 'unknown'
          ? 'Backstop asks it again until it says which name it has, and then ends the restore accordingly.'
          : 'No name was changed, and the restored copy was dropped. Restore again.'),
      retryable: true,
      cause,
    });
  }
}

/** A step on the server that must not be left half done did not end. */
export class ServerStepTimeoutError extends DomainError {
  constructor(step: string, seconds: number) {
    super({
      code: 'server-step-timeout',
      kind: 'timeout',
      detail: `The server did not ${step} within ${seconds} s.`,
      retryable: true,
      facts: { step, seconds },
    });
  }
}
