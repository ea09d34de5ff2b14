import { EngineError } from '../engines.errors.js';

/** The archive needs extensions that the target server cannot create. */
export class ExtensionsMissingError extends EngineError {
  constructor(names: readonly string[]) {
    super({
      code: 'extensions-missing',
      kind: 'unprocessable',
      detail: `the target server does not offer the extensions that the archive needs: ${names.join(', ')}`,
      facts: { extensions: names },
    });
  }
}

/** Something in the archive names a role that is not on the target server and cannot be left out. */
export class RoleAbsentError extends EngineError {
  constructor(role: string, cause?: unknown) {
    super({
      code: 'role-absent',
      kind: 'unprocessable',
      detail: `the archive needs the role "${role}", which is not on the target server; create it, or load the archive's roles first`,
      facts: { role },
      cause,
    });
  }
}

/** The server found its own files damaged; no other attempt will read what is lost. */
export class DatabaseCorruptError extends EngineError {
  constructor(
    { host, port, databaseName }: { host: string; port: number; databaseName: string },
    reason: string,
    cause?: unknown,
  ) {
    super({
      code: 'database-corrupt',
      kind: 'unprocessable',
      detail: `the server at ${host}:${port} says that the files of its database "${databaseName}" are damaged: ${reason}`,
      facts: { host, port, database_name: databaseName },
      cause,
    });
  }
}

/** Names that a message still can be read with. */
const MOST_NAMES = 10;

/** What is kept needs what is left out, so no database would take the dump back. */
export class DumpNotRestorableError extends EngineError {
  constructor(names: readonly string[]) {
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
    super({
      code: 'dump-not-restorable',
      kind: 'unprocessable',
      detail:
        `exclude_tables or schemas leave out what is needed by ${names.slice(0, MOST_NAMES).join(', ')}${more}, ` +
        'so a dump could not be restored; leave these out too, or keep what they need',
      facts: { objects: names },
    });
  }
}

/** Tables were changed or dropped by others between the snapshot and the dump. */
export class SchemaChangedError extends EngineError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'schema-changed',
      kind: 'unprocessable',
      retryable: true,
      detail: `somebody changed the database's tables just as the dump began: ${reason}`,
      cause,
    });
  }
}

/** Somebody waits for a lock that the dump stands in the way of, and the dump for him. */
export class TablesLockedError extends EngineError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'tables-locked',
      kind: 'unprocessable',
      retryable: true,
      detail: `somebody locked a table just as the dump began, and the dump made way: ${reason}`,
      cause,
    });
  }
}

/** A standby ended our reading because it conflicted with what the primary did. */
export class RecoveryConflictError extends EngineError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'recovery-conflict',
      kind: 'unprocessable',
      retryable: true,
      detail: `the standby ended our reading to go on with the primary's changes: ${reason}`,
      cause,
    });
  }
}

/** The target server does not know the encoding or collation of the dumped database. */
export class LocaleUnavailableError extends EngineError {
  constructor(databaseName: string, wanted: string, reason: string, cause?: unknown) {
    super({
      code: 'locale-unavailable',
      kind: 'unprocessable',
      detail: `database "${databaseName}" cannot be created with ${wanted}: ${reason}`,
      facts: { database_name: databaseName, wanted },
      cause,
    });
  }
}

/** A database that receives changes of another server cannot be dropped. */
export class SubscribedDatabaseError extends EngineError {
  constructor(subscriptions: readonly string[]) {
    const names = subscriptions.map((name) => `"${name}"`).join(', ');
    super({
      code: 'database-subscribed',
      kind: 'conflict',
      detail: `the database cannot be dropped while it has the subscription ${names}; drop that first`,
      facts: { subscriptions },
    });
  }
}
