import { EngineError } from './engines.errors.js';

/** A client tool is not installed in any version. */
export class ToolMissingError extends EngineError {
  constructor(tool: string, install: string) {
    super({
      code: 'tool-missing',
      kind: 'unprocessable',
      detail: `${tool} is not installed on this machine; ${install}`,
      facts: { tool, install },
    });
  }
}

/** Only versions of a client tool are installed that do not understand the server. */
export class ToolTooOldError extends EngineError {
  constructor(
    tool: string,
    needed: { major: number; because: string },
    newestFound: string,
    install: string,
  ) {
    super({
      code: 'tool-too-old',
      kind: 'unprocessable',
      detail:
        `${needed.because} needs ${tool} ${needed.major} or newer, and the newest on this machine is ` +
        `${newestFound}; ${install}`,
      facts: { tool, needed_major: needed.major, newest_found: newestFound, install },
    });
  }
}

/** The dumping tool failed for a reason that has no code of its own. */
export class DumpFailedError extends EngineError {
  constructor(tool: string, reason: string, options: { retryable?: boolean } = {}) {
    super({
      code: 'dump-failed',
      kind: 'unprocessable',
      detail: `${tool} failed: ${reason}`,
      facts: { tool },
      ...options,
    });
  }
}

/** The restoring tool failed for a reason that has no code of its own. */
export class RestoreFailedError extends EngineError {
  constructor(tool: string, reason: string, options: { retryable?: boolean } = {}) {
    super({
      code: 'restore-failed',
      kind: 'unprocessable',
      detail: `${tool} failed: ${reason}`,
      facts: { tool },
      ...options,
    });
  }
}

/** The bytes begin like an archive of this engine, but are not a whole one. */
export class ArchiveUnreadableError extends EngineError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'archive-unreadable',
      kind: 'unprocessable',
      detail: `the archive is damaged or incomplete: ${reason}`,
      cause,
    });
  }
}

/** The bytes are not an archive of this engine and format at all. */
export class ArchiveForeignError extends EngineError {
  constructor(expected: string, found: string) {
    super({
      code: 'archive-foreign',
      kind: 'unprocessable',
      detail: `this is not ${expected}: ${found}`,
      facts: { expected },
    });
  }
}

export class TargetDatabaseExistsError extends EngineError {
  constructor(databaseName: string) {
    super({
      code: 'target-database-exists',
      kind: 'conflict',
      detail: `there is a database "${databaseName}" on the server already; choose another name`,
      facts: { database_name: databaseName },
    });
  }
}

/** A restore would go into an older major version than the dump came from. */
export class ServerTooOldError extends EngineError {
  /** @param needed the version that a dump comes from, or the oldest that the engine knows */
  constructor(serverMajor: number, needed: number | { oldest: number }) {
    const facts = { server_major: serverMajor };
    super({
      code: 'server-too-old',
      kind: 'unprocessable',
      ...(typeof needed === 'number'
        ? {
            detail: `the dump comes from version ${needed}, and a server of version ${serverMajor} cannot be trusted to load it`,
            facts: { ...facts, archive_major: needed },
          }
        : {
            detail: `the server has version ${serverMajor}, and the oldest that Backstop knows is ${needed.oldest}`,
            facts: { ...facts, oldest_major: needed.oldest },
          }),
    });
  }
}

export class DatabaseInUseError extends EngineError {
  constructor(
    databaseName: string,
    readonly sessions: readonly { user: string; application: string; count: number }[],
  ) {
    const who = sessions.map(
      ({ user, application, count }) => `${count} of "${user}" (${application || 'no name'})`,
    );
    super({
      code: 'database-in-use',
      kind: 'conflict',
      retryable: true,
      detail:
        `others are connected to "${databaseName}"` +
        (who.length > 0 ? `: ${who.slice(0, 5).join(', ')}` : '') +
        '; close these sessions, or let a restore end them ("end_connections": true)',
      facts: { database_name: databaseName, sessions },
    });
  }
}

export class TablesUnknownError extends EngineError {
  constructor(unknown: readonly string[], where: string) {
    super({
      code: 'tables-unknown',
      kind: 'invalid',
      detail: `not in ${where}: ${unknown.slice(0, 20).join(', ')}`,
      facts: { unknown: unknown.slice(0, 100) },
    });
  }
}
