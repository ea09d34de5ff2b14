import type { DomainError } from '../../errors/domain-error.js';
import type { ExitReport } from '../../process/command.js';
import { describeExit } from '../../process/process.errors.js';
import { scrub, StderrLine } from '../../process/stderr-tail.js';
import type { Connection } from '../engine.js';
import {
  AuthenticationFailedError,
  ConnectionLostError,
  DatabaseAbsentError,
  type EngineError,
  PermissionDeniedError,
  QueryCancelledError,
  ServerDiskFullError,
  ServerTimeoutError,
  ServerUnreachableError,
  TlsFailedError,
  TooManyConnectionsError,
} from '../engines.errors.js';
import { ArchiveForeignError, ArchiveUnreadableError, DatabaseInUseError } from '../tools.errors.js';
import {
  DatabaseCorruptError,
  ExtensionsMissingError,
  RecoveryConflictError,
  RoleAbsentError,
  SchemaChangedError,
  TablesLockedError,
} from './postgres.errors.js';

/** What an error is read against: whom we spoke to, and as whom. */
export type ErrorContext = Pick<Connection, 'host' | 'port' | 'username' | 'databaseName'>;

type Reading = (text: string, at: ErrorContext, cause: unknown) => EngineError;

const READ = {
  authentication: (_, at, cause) => new AuthenticationFailedError(at, at.username, { cause }),
  absent: (_, at, cause) => new DatabaseAbsentError(at, at.databaseName, { cause }),
  unreachable: (text, at, cause) => new ServerUnreachableError(at, text, { cause }),
  stranger: (text, at, cause) =>
    new ServerUnreachableError(at, `what answers there is not PostgreSQL (${text})`, { cause }),
  timeout: (_, at) => new ServerTimeoutError(at, 10),
  lost: (text, at, cause) => new ConnectionLostError(at, text, { cause }),
  tls: (text, at, cause) => new TlsFailedError(at, text, { cause }),
  crowded: (_, at, cause) => new TooManyConnectionsError(at, { cause }),
  forbidden: (text, at, cause) =>
    new PermissionDeniedError(at.username, `do this: ${text}`, objectsOf(text), { cause }),
  diskFull: (text, _, cause) => new ServerDiskFullError(text, { cause }),
  inUse: (_, at) => new DatabaseInUseError(at.databaseName, []),
  conflict: (text, _, cause) => new RecoveryConflictError(text, cause),
  cancelled: (text, _, cause) => new QueryCancelledError(text, cause),
  locked: (text, _, cause) => new TablesLockedError(text, cause),
  changed: (text, _, cause) => new SchemaChangedError(text, cause),
  foreign: (text) => new ArchiveForeignError('an archive of pg_dump', text),
  corrupt: (text, at, cause) => new DatabaseCorruptError(at, text, cause),
  unreadable: (text, _, cause) => new ArchiveUnreadableError(text, cause),
  extension: (text) =>
    new ExtensionsMissingError([
      /extension "(.+?)"|extension\/([^"/]+)\.control/.exec(text)?.slice(1).find(Boolean) ?? text,
    ]),
  role: (text, _, cause) => new RoleAbsentError(/role "(.+?)" does not exist/.exec(text)?.[1] ?? '', cause),
} satisfies Record<string, Reading>;

/** SQLSTATE (appendix A of PostgreSQL's manual) or Node's error code → meaning. */
const BY_CODE: Readonly<Record<string, Reading>> = {
  '28P01': READ.authentication,
  '28000': READ.authentication,
  '3D000': READ.absent,
  '42501': READ.forbidden,
  '42P01': READ.changed, // a table that was there when we listed them
  '40001': READ.conflict,
  XX001: READ.corrupt,
  XX002: READ.corrupt,
  '53100': READ.diskFull,
  '53300': READ.crowded,
  '55006': READ.inUse,
  '57014': READ.cancelled,
  '57P01': READ.lost,
  '57P02': READ.lost,
  '57P03': READ.unreachable,
  ECONNREFUSED: READ.unreachable,
  ENOTFOUND: READ.unreachable,
  EAI_AGAIN: READ.unreachable,
  EHOSTUNREACH: READ.unreachable,
  ENETUNREACH: READ.unreachable,
  EACCES: READ.unreachable,
  ENOENT: READ.unreachable,
  ETIMEDOUT: READ.timeout,
  ECONNRESET: READ.lost,
  EPIPE: READ.lost,
  CERT_HAS_EXPIRED: READ.tls,
  DEPTH_ZERO_SELF_SIGNED_CERT: READ.tls,
  SELF_SIGNED_CERT_IN_CHAIN: READ.tls,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: READ.tls,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: READ.tls,
  ERR_TLS_CERT_ALTNAME_INVALID: READ.tls,
};

/** The same meanings as tools and libraries print them, in English. First match wins, so the particular comes first. */
const BY_TEXT: readonly (readonly [RegExp, Reading])[] = [
  [/password authentication failed|no password supplied|client password must be/i, READ.authentication],
  [/no pg_hba\.conf entry.*(no encryption|SSL off)/i, READ.tls],
  [
    /no pg_hba\.conf entry|role ".*" is not permitted to log in|(Peer|Ident|certificate|LDAP) authentication failed/i,
    READ.authentication,
  ],
  [/FATAL: {1,2}role ".*" does not exist/, READ.authentication],
  [
    /server does not support SSL|SSL error|certificate verify failed|server certificate for|root certificate file/i,
    READ.tls,
  ],
  // pg: the answer to its first packet is neither "S" nor "N", so a web server, a proxy or another database listens there.
  [/There was an error establishing an SSL connection/, READ.stranger],
  [/database ".*" does not exist/, READ.absent],
  [/too many (clients|connections)|remaining connection slots are reserved/i, READ.crowded],
  [/timeout expired|connection timeout/i, READ.timeout],
  [
    /Connection refused|could not translate host name|No route to host|Network is unreachable|the database system is (starting up|shutting down|in recovery)/i,
    READ.unreachable,
  ],
  [/No space left on device|could not extend file|disk full/i, READ.diskFull],
  [/conflict with recovery/, READ.conflict],
  // Only the statements by which pg_dump takes its locks have a time limit.
  [/query failed: ERROR: +canceling statement due to (statement|lock) timeout/, READ.locked],
  [/canceling statement due to/, READ.cancelled],
  [
    /query would be affected by row-level security policy|permission denied|must be owner of|must be (superuser|a superuser)|must be able to SET ROLE|must be member of role/i,
    READ.forbidden,
  ],
  [
    /terminating connection|server closed the connection|connection to server was lost|SSL connection has been closed|Connection terminated|no connection to the server/i,
    READ.lost,
  ],
  [
    /could not obtain lock on relation|could not open relation with OID|cache lookup failed|invalid snapshot identifier/i,
    READ.changed,
  ],
  [
    /input file does not appear to be a valid archive|input file appears to be a text format dump|did not find magic string|unsupported version \(.*\) in file header/i,
    READ.foreign,
  ],
  // What the server says of its own files, whoever asks it: `ERRCODE_DATA_CORRUPTED` and `ERRCODE_INDEX_CORRUPTED`.
  [
    /compressed \w+ data is corrupt|invalid page in block|could not read block|could not access status of transaction|missing chunk number|unexpected chunk number|found xmin .* from before relfrozenxid|index ".*" (contains|is not)/i,
    READ.corrupt,
  ],
  // What pg_restore says of an archive that it reads (`pg_backup_custom.c`, `pg_backup_archiver.c`, `compress_gzip.c`).
  [
    /could not read from input file|unexpected end of file|could not find block ID|found unexpected block ID|corrupt tar header|could not uncompress data|unrecognized data block type|possibly due to out-of-order restore request|bad dumpId|entry ID -?\d+ out of range/i,
    READ.unreadable,
  ],
  [/extension ".*" is not available|could not open extension control file/, READ.extension],
  [/role ".*" does not exist/, READ.role],
];

/**
 * The meaning of an error that PostgreSQL's client library or Node threw; `otherwise` makes the error of what has no code of
 * its own. An error of ours passes through.
 */
export function readClientError(
  error: unknown,
  at: ErrorContext,
  secrets: readonly string[],
  otherwise: (reason: string, cause: unknown) => Error,
): Error {
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : String(error);
  const text = scrub(said, secrets);
  // Read unscrubbed: a password like "postgres" or "p" would hide words that we look for.
  const byText = BY_TEXT.find(([pattern]) => pattern.test(said))?.[1];
  const isVague = code === '28000' || code === '40001'; // the text says which of several things it is
  const reading = isVague
    ? (byText ?? BY_CODE[code])
    : ((code === undefined ? undefined : BY_CODE[code]) ?? byText);
  return reading?.(text, at, error) ?? otherwise(text, error);
}

/** The meaning of what a tool said before it ended badly. */
export function readToolFailure<Other extends DomainError>(
  report: ExitReport,
  at: ErrorContext,
  otherwise: (reason: string, report: ExitReport) => Other,
): EngineError | Other {
  const said = errorLines(report.lines ?? report.stderr.split('\n').map((line) => new StderrLine(line)));
  for (const [pattern, reading] of BY_TEXT) {
    const line = said.find((each) => each.says(pattern));
    if (line !== undefined) return reading(tidy(line.text), at, undefined);
  }
  const reason = said
    .slice(0, 3)
    .map(({ text }) => tidy(text))
    .join('; ');
  return otherwise(reason === '' ? describeExit(report) : reason, report);
}

/**
 * Lines that report an error; all other lines only when there is none, without the words of `--verbose`. Of the details behind an
 * error only the server's own message: why a COPY ended stands nowhere else, and the other one, the command, may name anything.
 */
function errorLines(stderr: readonly StderrLine[]): StderrLine[] {
  const lines = stderr.filter(({ text }) => text.trim() !== '');
  const errors = lines.filter((line) =>
    line.says(/(error|fatal|panic): |: detail: Error message from server: /i),
  );
  return errors.length > 0 ? errors : lines.slice(-3);
}

/** `pg_dump: error: connection to server at "h" (::1), port 5 failed: FATAL:  x` → `x`; what is said before is our own. */
function tidy(line: string): string {
  return line.replace(/^[\w./-]+: (error: |fatal: |detail: Error message from server: )/i, '').trim();
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]); // one per address of a host name
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** `permission denied for table orders` → `orders`; `must be owner of database x` → `x`. */
function objectsOf(text: string): string[] {
  const match = /(?:permission denied for|must be owner of|security policy for) \w+ "?([^":]+)"?/.exec(text);
  return match?.[1] === undefined ? [] : [match[1].trim()];
}
