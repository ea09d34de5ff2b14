import { DomainError, type DomainErrorOptions } from '../errors/domain-error.js';

/** Root of everything an engine reports about a server, a tool or an archive. */
export abstract class EngineError extends DomainError {}

type Cause = Pick<DomainErrorOptions, 'cause'>;

/** `host:port`, as it stands in every sentence about a server. */
export interface ServerAddress {
  host: string;
  port: number;
}

export class EngineUnknownError extends EngineError {
  constructor(kind: string, known: readonly string[]) {
    super({
      code: 'engine-unknown',
      kind: 'invalid',
      detail: `There is no engine ${JSON.stringify(kind)}. Known: ${known.join(', ')}.`,
      facts: { engine: kind, known },
    });
  }
}

export class AuthenticationFailedError extends EngineError {
  constructor(at: ServerAddress, username: string | undefined, cause: Cause = {}) {
    super({
      code: 'authentication-failed',
      kind: 'unprocessable',
      detail: `${at.host}:${at.port} refused user "${username ?? ''}": wrong name or password, or no access rule for us`,
      facts: { host: at.host, port: at.port, username },
      ...cause,
    });
  }
}

export class ServerUnreachableError extends EngineError {
  constructor(at: ServerAddress, reason: string, cause: Cause = {}) {
    super({
      code: 'server-unreachable',
      kind: 'unavailable',
      retryable: true,
      detail: `no connection to ${at.host}:${at.port}: ${reason}`,
      facts: { host: at.host, port: at.port },
      ...cause,
    });
  }
}

export class ServerTimeoutError extends EngineError {
  constructor(at: ServerAddress, seconds: number) {
    super({
      code: 'server-timeout',
      kind: 'timeout',
      retryable: true,
      detail: `${at.host}:${at.port} did not answer within ${seconds} s`,
      facts: { host: at.host, port: at.port, seconds },
    });
  }
}

/** The connection was good, and broke: restart, network, a killed session. */
export class ConnectionLostError extends EngineError {
  constructor(at: ServerAddress, reason: string, cause: Cause = {}) {
    super({
      code: 'connection-lost',
      kind: 'unavailable',
      retryable: true,
      detail: `the connection to ${at.host}:${at.port} broke: ${reason}`,
      facts: { host: at.host, port: at.port },
      ...cause,
    });
  }
}

export class TlsFailedError extends EngineError {
  constructor(at: ServerAddress, reason: string, cause: Cause = {}) {
    super({
      code: 'tls-failed',
      kind: 'unprocessable',
      detail: `no encrypted connection to ${at.host}:${at.port}: ${reason}`,
      facts: { host: at.host, port: at.port },
      ...cause,
    });
  }
}

export class TooManyConnectionsError extends EngineError {
  constructor(at: ServerAddress, cause: Cause = {}) {
    super({
      code: 'too-many-connections',
      kind: 'unavailable',
      retryable: true,
      detail: `${at.host}:${at.port} has no connection left for us`,
      facts: { host: at.host, port: at.port },
      ...cause,
    });
  }
}

export class DatabaseAbsentError extends EngineError {
  constructor(at: ServerAddress, databaseName: string, cause: Cause = {}) {
    super({
      code: 'database-absent',
      kind: 'unprocessable',
      detail: `there is no database "${databaseName}" on ${at.host}:${at.port}`,
      facts: { host: at.host, port: at.port, database_name: databaseName },
      ...cause,
    });
  }
}

export class PermissionDeniedError extends EngineError {
  /** `what` completes "the user may not …"; `objects` are the names concerned, when the server says them. */
  constructor(
    username: string | undefined,
    what: string,
    objects: readonly string[] = [],
    cause: Cause = {},
  ) {
    super({
      code: 'permission-denied',
      kind: 'unprocessable',
      detail: `user "${username ?? ''}" may not ${what}`,
      facts: { username, objects: objects.slice(0, 100), objects_total: objects.length },
      ...cause,
    });
  }
}

export class ServerDiskFullError extends EngineError {
  constructor(reason: string, cause: Cause = {}) {
    super({
      code: 'server-disk-full',
      kind: 'unprocessable',
      detail: `the database server has no room left: ${reason}`,
      ...cause,
    });
  }
}

/** A disk of ours is full: where temporary files of a restore are kept. */
export class WorkDiskFullError extends EngineError {
  constructor(folder: string, cause: Cause = {}) {
    super({
      code: 'work-disk-full',
      kind: 'unprocessable',
      detail: `no room left in ${folder} for the temporary files of this restore`,
      facts: { folder },
      ...cause,
    });
  }
}

export class FormatUnsupportedError extends EngineError {
  constructor(engine: string, what: string, supported: readonly string[]) {
    super({
      code: 'format-unsupported',
      kind: 'invalid',
      detail: `engine ${engine} cannot ${what}; possible with: ${supported.join(', ')}`,
      facts: { engine, supported },
    });
  }
}

/** Never repeats the URI: it may hold a password. */
export class UriInvalidError extends EngineError {
  constructor(complaint: string) {
    super({ code: 'uri-invalid', kind: 'invalid', detail: `The uri ${complaint}.` });
  }
}

export class UriParameterUnknownError extends EngineError {
  constructor(parameter: string, known: readonly string[]) {
    super({
      code: 'uri-parameter-unknown',
      kind: 'invalid',
      detail: `The uri has the parameter ${JSON.stringify(parameter)}. Known: ${known.join(', ')}. Leave the others out.`,
      facts: { parameter, known },
    });
  }
}

/** Somebody, or a timeout of the server, ended our query. */
export class QueryCancelledError extends EngineError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'query-cancelled',
      kind: 'unprocessable',
      retryable: true,
      detail: `the server ended our query: ${reason}`,
      cause,
    });
  }
}

/** A statement of ours failed for a reason that has no code of its own. */
export class QueryFailedError extends EngineError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'query-failed',
      kind: 'unprocessable',
      detail: `the server could not answer a query: ${reason}`,
      cause,
    });
  }
}
