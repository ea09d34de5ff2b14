import type { MongoServerSelectionError } from 'mongodb';

import { scrub } from '../../process/stderr-tail.js';
import type { Connection } from '../engine.js';
import {
  AuthenticationFailedError,
  ConnectionLostError,
  DatabaseAbsentError,
  EngineError,
  PermissionDeniedError,
  QueryCancelledError,
  QueryFailedError,
  ServerDiskFullError,
  ServerTimeoutError,
  ServerUnreachableError,
  TlsFailedError,
  TooManyConnectionsError,
} from '../engines.errors.js';
import { ArchiveForeignError, ArchiveUnreadableError, TargetDatabaseExistsError } from '../tools.errors.js';
import { driver } from './mongo-driver.js';
import { DuplicateKeyError, NameRefusedError, ReplicaSetUnreachableError } from './mongo.errors.js';
import { addressesOf } from './mongo-reach.js';

/** What an error is read against: whom we spoke to, and as whom. */
export type ErrorContext = Pick<Connection, 'host' | 'port' | 'username' | 'databaseName' | 'parameters'>;

type Reading = (text: string, at: ErrorContext, cause: unknown) => EngineError;

const READ = {
  authentication: (_, at, cause) => new AuthenticationFailedError(at, at.username, { cause }),
  absent: (_, at, cause) => new DatabaseAbsentError(at, at.databaseName, { cause }),
  unreachable: (text, at, cause) => new ServerUnreachableError(at, text, { cause }),
  timeout: (_, at) => new ServerTimeoutError(at, 10),
  lost: (text, at, cause) => new ConnectionLostError(at, text, { cause }),
  tls: (text, at, cause) => new TlsFailedError(at, text, { cause }),
  crowded: (_, at, cause) => new TooManyConnectionsError(at, { cause }),
  forbidden: (text, at, cause) => new PermissionDeniedError(at.username, `do this: ${text}`, [], { cause }),
  diskFull: (text, _, cause) => new ServerDiskFullError(text, { cause }),
  cancelled: (text, _, cause) => new QueryCancelledError(text, cause),
  taken: (text, at) => new TargetDatabaseExistsError(/ns: ([^.\s]+)/.exec(text)?.[1] ?? at.databaseName),
  duplicate: (text, at) => new DuplicateKeyError(at.databaseName, text),
  name: (text, _, cause) => new NameRefusedError(text, cause),
  foreign: (text) => new ArchiveForeignError('an archive of mongodump', text),
  unreadable: (text, _, cause) => new ArchiveUnreadableError(text, cause),
} satisfies Record<string, Reading>;

/** Codes of the server (`error_codes.yml` of MongoDB's sources) → meaning. */
const BY_CODE: Readonly<Record<number, Reading>> = {
  11: READ.authentication, // UserNotFound
  13: READ.forbidden,
  18: READ.authentication,
  31: READ.forbidden, // RoleNotFound
  48: READ.taken,
  50: READ.cancelled, // MaxTimeMSExpired
  73: READ.name, // InvalidNamespace
  89: READ.lost, // NetworkTimeout
  91: READ.lost, // ShutdownInProgress
  189: READ.lost, // PrimarySteppedDown
  237: READ.cancelled, // CursorKilled
  8000: READ.authentication, // AtlasError
  10_107: READ.lost, // NotWritablePrimary
  11_000: READ.duplicate,
  11_600: READ.lost, // InterruptedAtShutdown
  11_601: READ.cancelled,
  11_602: READ.lost, // InterruptedDueToReplStateChange
  13_435: READ.lost, // NotPrimaryNoSecondaryOk
  14_031: READ.diskFull,
};

/** The same meanings as tools, drivers and Node print them, in English. First match wins, so the particular comes first. */
const BY_TEXT: readonly (readonly [RegExp, Reading])[] = [
  [/requires authentication|authentication failed|auth error|unable to authenticate/i, READ.authentication],
  [
    /certificate|self[- ]signed|SSL routines|tls(v1)? alert|handshake failure|server does not support (TLS|SSL)|wrong version number|x509/i,
    READ.tls,
  ],
  [/not authorized|is not allowed to|unauthorized/i, READ.forbidden],
  [/E11000|duplicate key/i, READ.duplicate],
  [/\(InvalidNamespace\)/, READ.name],
  [/too many (open )?connections|connection pool .* exhausted/i, READ.crowded],
  [/no space left on device|OutOfDiskSpace|disk full/i, READ.diskFull],
  [
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|connection refused|no such host/i,
    READ.unreachable,
  ],
  [/server selection (timed out|error|timeout)|timed out|i\/o timeout|deadline exceeded/i, READ.timeout],
  [
    /stream or file does not appear to be a mongodump archive|archive .*(bad|unsupported) version/i,
    READ.foreign,
  ],
  [
    /archive.*(corrupt|truncat|EOF)|unexpected EOF|CRC|premature end|invalid .*BSON|bson.*(length|corrupt)/i,
    READ.unreadable,
  ],
  [
    /ECONNRESET|EPIPE|connection .*closed|socket was unexpectedly closed|connection reset|broken pipe|EOF$/i,
    READ.lost,
  ],
];

/**
 * The meaning of an error that the driver or Node threw; `otherwise` makes the error of what has no code of its own. An error of
 * ours passes through.
 */
export function readDriverError(
  error: unknown,
  at: ErrorContext,
  secrets: readonly string[],
  otherwise: (reason: string, cause: unknown) => Error = (reason, cause) =>
    new QueryFailedError(reason, cause),
): Error {
  if (error instanceof EngineError) return error;
  const { MongoBulkWriteError, MongoNetworkError, MongoNetworkTimeoutError } = driver();
  const { MongoServerError, MongoServerSelectionError } = driver();
  const said = error instanceof Error ? error.message : String(error);
  const text = scrub(said, secrets);
  if (error instanceof MongoServerSelectionError) return readSelectionError(error, text, at);
  if (error instanceof MongoBulkWriteError && error.code === 11_000) return READ.duplicate(text, at);
  const byCode =
    error instanceof MongoServerError && typeof error.code === 'number' ? BY_CODE[error.code] : undefined;
  // "requires authentication" has the code of a missing right; without a user it is no such thing.
  const isNobody = byCode === READ.forbidden && at.username === undefined;
  if (byCode !== undefined) return (isNobody ? READ.authentication : byCode)(text, at, error);
  if (error instanceof MongoNetworkTimeoutError) return READ.timeout(text, at);
  // Read unscrubbed: a password like "connection" would hide words that we look for.
  const byText = BY_TEXT.find(([pattern]) => pattern.test(said))?.[1];
  if (byText !== undefined) return byText(text, at, error);
  if (error instanceof MongoNetworkError) return READ.lost(text, at, error);
  return otherwise(text, error);
}

/** No server could be chosen in time; why is said by each server's own error. */
function readSelectionError(error: MongoServerSelectionError, text: string, at: ErrorContext): EngineError {
  const servers = [...(error.reason?.servers.values() ?? [])];
  const causes = servers.map((server) => server.error).filter((cause) => cause !== null);
  const first = causes[0];
  const isSet = error.reason?.type.startsWith('ReplicaSet') ?? false;
  // Somebody answered, or told other names of the members than those that were asked.
  const named = addressesOf(at).map(({ host, port }) => `${host}:${port}`);
  const isFound = servers.some(
    ({ address, type }) => type !== 'Unknown' || (named.length > 0 && !named.includes(address)),
  );
  if (isSet && isFound) {
    const members = servers.map((server) => `${server.address}: ${server.type}`);
    return new ReplicaSetUnreachableError(at, members, first?.message ?? text);
  }
  if (first === undefined || first instanceof driver().MongoNetworkTimeoutError)
    return READ.timeout(text, at);
  const said = [first.message, first.cause instanceof Error ? first.cause.message : ''].join(' ');
  const reading = BY_TEXT.find(([pattern]) => pattern.test(said))?.[1] ?? READ.unreachable;
  // Whoever closes a connection at once may speak TLS only, or be no MongoDB; it was never a connection that broke.
  return (reading === READ.lost ? READ.unreachable : reading)(first.message, at, error);
}

/** The meaning of what a tool said before it ended badly: its last lines, as `otherwise` has them when nothing is known. */
export function readToolText(
  stderr: string,
  at: ErrorContext,
  otherwise: (reason: string) => EngineError,
): EngineError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const failed = lines.filter((line) => /failed|error/i.test(line));
  const said = failed.length > 0 ? failed : lines.slice(-3);
  for (const [pattern, reading] of BY_TEXT) {
    const line = said.find((text) => pattern.test(text));
    if (line !== undefined) return reading(tidy(line), at, undefined);
  }
  return otherwise(said.slice(-3).map(tidy).join('; '));
}

/** `2026-11-21T03:00:00.000+0000\tFailed: x` → `x` */
function tidy(line: string): string {
  return line
    .replace(/^\S+\t/, '')
    .replace(/^(Failed|error): /i, '')
    .trim();
}
