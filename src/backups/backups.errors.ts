import { DomainError } from '../errors/domain-error.js';

export class BackupNotFoundError extends DomainError {
  constructor(idOrFilename: string) {
    super({
      code: 'backup-not-found',
      kind: 'not-found',
      detail: `There is no backup "${idOrFilename}". GET /backups lists them.`,
      facts: { backup: idOrFilename },
    });
  }
}

/** A backup of the database waits or runs already. */
export class BackupActiveError extends DomainError {
  constructor(databaseName: string, backupId: string, status: string) {
    super({
      code: 'backup-already-running',
      kind: 'conflict',
      detail: `Backup ${backupId} of "${databaseName}" is ${status}; wait for it, or cancel it.`,
      retryable: true,
      facts: { backup_id: backupId, status },
    });
  }
}

/** Which database is meant cannot be told. */
export class DatabaseChoiceError extends DomainError {
  constructor(registered: readonly string[]) {
    super({
      code: 'database-not-chosen',
      kind: 'invalid',
      detail:
        registered.length === 0
          ? 'No database is registered yet; register one with POST /databases.'
          : `Several databases are registered; say which one with database_id: ${registered.join(', ')}.`,
      facts: { databases: registered },
    });
  }
}

/** The backup's state does not allow what was asked. */
export class BackupStateError extends DomainError {
  constructor(backupId: string, status: string, wanted: string) {
    super({
      code: 'backup-not-in-state',
      kind: 'conflict',
      detail: `Backup ${backupId} is ${status} and cannot be ${wanted}.`,
      facts: { backup_id: backupId, status },
    });
  }
}

export class BackupLockedError extends DomainError {
  constructor(backupId: string) {
    super({
      code: 'backup-locked',
      kind: 'conflict',
      detail: `Backup ${backupId} is locked. Unlock it first: PATCH /backups/${backupId} {"locked": false}.`,
      facts: { backup_id: backupId },
    });
  }
}

export class BackupInUseError extends DomainError {
  constructor(backupId: string, active: readonly { kind: string; id: string }[]) {
    const words = active.map((work) => `${work.kind} ${work.id}`).join(', ');
    super({
      code: 'backup-in-use',
      kind: 'conflict',
      detail: `Backup ${backupId} cannot be deleted while it is needed by ${words}. Wait for it, or cancel it.`,
      retryable: true,
      facts: { backup_id: backupId, active },
    });
  }
}

export class NewestProvenBackupError extends DomainError {
  constructor(backupId: string, evidence: string) {
    super({
      code: 'backup-newest-proven',
      kind: 'conflict',
      detail: `Backup ${backupId} is the newest one of its database that is ${evidence}. Delete it with ?force=true.`,
      facts: { backup_id: backupId, evidence },
    });
  }
}

export class BackupCancelledError extends DomainError {
  constructor(backupId: string) {
    super({
      code: 'backup-cancelled',
      kind: 'conflict',
      detail: `Backup ${backupId} was cancelled on request; nothing of it is left.`,
      facts: { backup_id: backupId },
    });
  }
}

export class BackupTimeoutError extends DomainError {
  /** @param setting what the figure comes from, as the operator knows it */
  constructor(seconds: number, setting = 'options.timeout_seconds') {
    super({
      code: 'backup-timeout',
      kind: 'timeout',
      detail: `The backup did not end within ${setting} = ${seconds} and was stopped.`,
      retryable: true,
      facts: { timeout_seconds: seconds },
    });
  }
}

/** The database let us in, but not read. */
export class DumpNotOpenedError extends DomainError {
  /** @param setting what the figure comes from, as the operator knows it */
  constructor(seconds: number, setting = 'options.stall_seconds') {
    super({
      code: 'dump-not-opened',
      kind: 'timeout',
      detail: `The dump could not begin within ${setting} = ${seconds}: most likely somebody holds a lock on a table.`,
      retryable: true,
      facts: { stall_seconds: seconds },
    });
  }
}

/** The dump was whole, but the server never said how many rows it has. */
export class CountingStalledError extends DomainError {
  /** @param setting what the figure comes from, as the operator knows it */
  constructor(seconds: number, setting = 'options.stall_seconds') {
    super({
      code: 'counting-stalled',
      kind: 'timeout',
      detail:
        `The dump was read to its end, but for ${setting} = ${seconds} the server showed no sign of counting its rows. ` +
        'Nothing was kept: look whether the server still answers.',
      retryable: true,
      facts: { stall_seconds: seconds },
    });
  }
}

/** The archive was whole, but the destination never said that it has the manifest. */
export class CommitStalledError extends DomainError {
  /** @param setting what the figure comes from, as the operator knows it */
  constructor(seconds: number, setting = 'options.stall_seconds') {
    super({
      code: 'commit-stalled',
      kind: 'timeout',
      detail:
        `The archive was stored, but for ${setting} = ${seconds} the destination did not confirm its manifest, and without ` +
        'one it is no backup. Look whether the disk or share of the destination answers.',
      retryable: true,
      facts: { stall_seconds: seconds },
    });
  }
}

/** A tool that exits 0 and says nothing has not made a backup. */
export class DumpEmptyError extends DomainError {
  constructor(tool: string) {
    super({
      code: 'dump-empty',
      kind: 'unprocessable',
      detail: `${tool} ended without an error and without a single byte. This is never a good dump.`,
      facts: { tool },
    });
  }
}

export class WorkerLostError extends DomainError {
  /** @param attempts how many there were; the earlier ones may have ended in another way */
  constructor(attempts: number) {
    super({
      code: 'worker-lost',
      kind: 'unavailable',
      detail:
        `The process that made this backup died, and all ${attempts} attempts are used up (BACKUP_MAX_ATTEMPTS). ` +
        "Look at the service's log and the machine's memory.",
      retryable: true,
      facts: { attempts },
    });
  }
}

/** `?wait=` ran out; the backup goes on. */
export class WaitTimeoutError extends DomainError {
  /** @param trouble why its last attempt failed, when one did */
  constructor(backupId: string, status: string, seconds: number, trouble: string | null) {
    const failed = trouble === null ? '' : ` Its last attempt failed: ${trouble}.`;
    super({
      code: 'wait-timeout',
      kind: 'timeout',
      detail: `Backup ${backupId} is still ${status} after ${seconds} s.${failed} It goes on; see GET /backups/${backupId}.`,
      retryable: true,
      facts: { backup_id: backupId, status },
    });
  }
}

/** What a waiting request is told when the backup it waited for did not complete. */
export class BackupFailedError extends DomainError {
  constructor(backupId: string, status: string, error: { code: string; detail: string } | null) {
    super({
      code: 'backup-failed',
      kind: 'unprocessable',
      detail: `Backup ${backupId} is ${status}${error ? `: ${error.detail}` : '.'}`,
      facts: { backup_id: backupId, status, error },
    });
  }
}

/** The destination's manifest is not the one that the catalog remembers. */
export class ManifestChangedError extends DomainError {
  constructor(backupId: string, reason: string) {
    super({
      code: 'manifest-changed',
      kind: 'unprocessable',
      detail: `The manifest of backup ${backupId} is not the one that was written (${reason}). Nothing was touched.`,
      facts: { backup_id: backupId, reason },
    });
  }
}

/** The archive set and the catalog do not speak of the same backup. */
export class ArchiveMismatchError extends DomainError {
  constructor(backupId: string, facts: { field: string; catalog: unknown; manifest: unknown }) {
    super({
      code: 'archive-mismatch',
      kind: 'unprocessable',
      detail: `The manifest of backup ${backupId} belongs to something else: its ${facts.field} differs from the catalog. Nothing was touched; use another backup.`,
      facts: { backup_id: backupId, ...facts },
    });
  }
}

export class PartNotFoundError extends DomainError {
  constructor(backupId: string, part: string) {
    super({
      code: 'part-not-found',
      kind: 'not-found',
      detail: `Backup ${backupId} has no part "${part}". Roles are kept only with options.include_roles.`,
      facts: { backup_id: backupId, part },
    });
  }
}

export class RangeNotSatisfiableError extends DomainError {
  constructor(range: string, sizeBytes: number) {
    super({
      code: 'range-not-satisfiable',
      kind: 'range',
      detail: `The archive has ${sizeBytes} bytes; the range "${range}" lies outside.`,
      facts: { size_bytes: sizeBytes },
    });
  }
}
