import { describe, expect, it } from 'vitest';

import type { ExitReport } from '../../process/command.js';
import { StderrLine } from '../../process/stderr-tail.js';
import { DumpFailedError } from '../tools.errors.js';
import { readClientError, readToolFailure } from './error-reading.js';

const at = { host: 'db.example', port: 5432, username: 'ann', databaseName: 'shop' };
const otherwise = (reason: string): DumpFailedError => new DumpFailedError('pg_dump', reason);

function exit(stderr: string, more: Partial<ExitReport> = {}): ExitReport {
  return { code: 1, signal: null, stderr, ...more };
}

/** As the tools of PostgreSQL 12 to 18 print them with `LC_ALL=C`. */
const SAID: [string, string, boolean][] = [
  [
    'pg_dump: error: connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  password authentication failed for user "ann"',
    'authentication-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  role "ann" does not exist',
    'authentication-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: fe_sendauth: no password supplied',
    'authentication-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "ann", database "shop", no encryption',
    'tls-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "ann", database "shop", SSL encryption',
    'authentication-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: server does not support SSL, but SSL was required',
    'tls-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: SSL error: certificate verify failed',
    'tls-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: server certificate for "x" does not match host name "db"',
    'tls-failed',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  database "shop" does not exist',
    'database-absent',
    false,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  sorry, too many clients already',
    'too-many-connections',
    true,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute',
    'too-many-connections',
    true,
  ],
  [
    'pg_dump: error: connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?',
    'server-unreachable',
    true,
  ],
  [
    'pg_dump: error: could not translate host name "db" to address: Name or service not known',
    'server-unreachable',
    true,
  ],
  [
    'pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  the database system is starting up',
    'server-unreachable',
    true,
  ],
  ['pg_dump: error: connection to server at "db", port 5432 failed: timeout expired', 'server-timeout', true],
  [
    'pg_dump: error: query failed: ERROR:  permission denied for table orders\npg_dump: detail: Query was: LOCK TABLE public.orders IN ACCESS SHARE MODE',
    'permission-denied',
    false,
  ],
  [
    'pg_dump: error: query failed: ERROR:  query would be affected by row-level security policy for table "secrets"',
    'permission-denied',
    false,
  ],
  [
    'pg_dump: error: query failed: FATAL:  terminating connection due to administrator command\nserver closed the connection unexpectedly',
    'connection-lost',
    true,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  canceling statement due to conflict with recovery',
    'recovery-conflict',
    true,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetCopyData() failed.\npg_dump: detail: Error message from server: ERROR:  canceling statement due to statement timeout',
    'query-cancelled',
    true,
  ],
  [
    'pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE',
    'tables-locked',
    true,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  compressed pglz data is corrupt\npg_dump: detail: Command was: COPY public.t (a) TO stdout;',
    'database-corrupt',
    false,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  invalid page in block 0 of relation base/5/16385',
    'database-corrupt',
    false,
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  missing chunk number 0 for toast value 16391 in pg_toast_16385',
    'database-corrupt',
    false,
  ],
  [
    'pg_restore: error: could not find block ID 12 in archive -- possibly corrupt archive',
    'archive-unreadable',
    false,
  ],
  ['pg_dump: error: query failed: ERROR:  could not open relation with OID 16423', 'schema-changed', true],
  ['pg_dump: error: query failed: ERROR:  invalid snapshot identifier: "00000003-1"', 'schema-changed', true],
  [
    'pg_restore: error: could not execute query: ERROR:  could not extend file "base/16384/16385": No space left on device\nHINT:  Check free disk space.',
    'server-disk-full',
    false,
  ],
  ['pg_restore: error: input file does not appear to be a valid archive', 'archive-foreign', false],
  ['pg_restore: error: unsupported version (1.17) in file header', 'archive-foreign', false],
  ['pg_restore: error: could not read from input file: end of file', 'archive-unreadable', false],
  [
    'pg_restore: error: could not execute query: ERROR:  extension "postgis" is not available',
    'extensions-missing',
    false,
  ],
  [
    'pg_restore: error: could not execute query: ERROR:  role "carl" does not exist\nCommand was: CREATE POLICY p ON public.t TO carl;',
    'role-absent',
    false,
  ],
  ['psql:<stdin>:45: ERROR:  permission denied for schema public', 'permission-denied', false],
  ['pg_dump: error: something that nobody has seen', 'dump-failed', false],
  ['', 'dump-failed', false],
];

describe('readToolFailure', () => {
  it.each(SAID)('reads %s', (stderr, code, retryable) => {
    expect(readToolFailure(exit(stderr), at, otherwise)).toMatchObject({ code, retryable });
  });

  it('is not misled by the words of --verbose before the error', () => {
    const stderr =
      'pg_dump: dumping contents of table "public.permission denied for table x"\npg_dump: error: odd';
    expect(readToolFailure(exit(stderr), at, otherwise)).toMatchObject({
      code: 'dump-failed',
      message: 'pg_dump failed: odd',
    });
  });

  it('reads why a COPY ended in the detail behind the error, and nothing in the command behind that', () => {
    const stderr = [
      'pg_dump: error: Dumping the contents of table "bulk" failed: PQgetCopyData() failed.',
      'pg_dump: detail: Error message from server: server closed the connection unexpectedly',
      '\tThis probably means the server terminated abnormally',
      'pg_dump: detail: Command was: COPY public."permission denied for table x" TO stdout;',
    ].join('\n');
    expect(readToolFailure(exit(stderr), at, otherwise)).toMatchObject({
      code: 'connection-lost',
      retryable: true,
      message: expect.stringContaining('server closed the connection unexpectedly') as string,
    });
  });

  it('is not misled by a password that is part of the words, and does not show it', () => {
    const written = 'pg_restore: error: could not execute query: ERROR:  role "ann" does not exist';
    const lines = [new StderrLine(written, ['role', 'error'])];
    const report = exit(lines[0]?.text ?? '', { lines });
    const error = readToolFailure(report, at, otherwise);
    expect(error.code).toBe('role-absent');
    const other = [new StderrLine('pg_restore: error: hunter2 is odd', ['hunter2'])];
    expect(readToolFailure(exit('', { lines: other }), at, otherwise).message).toBe(
      'pg_dump failed: *** is odd',
    );
  });

  it('says how a silent tool ended', () => {
    const report = exit('', { code: null, signal: 'SIGKILL' });
    expect(readToolFailure(report, at, otherwise).message).toBe('pg_dump failed: was ended by SIGKILL');
  });

  it('names the object of a missing right', () => {
    const error = readToolFailure(
      exit('pg_dump: error: query failed: ERROR:  permission denied for table orders'),
      at,
      otherwise,
    );
    expect(error.facts).toMatchObject({ username: 'ann', objects: ['orders'] });
  });
});

describe('readClientError', () => {
  const failure = (code: string, message = 'words'): Error => Object.assign(new Error(message), { code });

  it.each([
    [failure('28P01'), 'authentication-failed'],
    [
      failure('28000', 'no pg_hba.conf entry for host "::1", user "a", database "b", no encryption'),
      'tls-failed',
    ],
    [failure('28000', 'role "x" is not permitted to log in'), 'authentication-failed'],
    [failure('3D000'), 'database-absent'],
    [failure('53300'), 'too-many-connections'],
    [failure('57P03'), 'server-unreachable'],
    [failure('57014'), 'query-cancelled'],
    [failure('42501', 'permission denied for table t'), 'permission-denied'],
    [failure('55006'), 'database-in-use'],
    [failure('ECONNREFUSED'), 'server-unreachable'],
    [failure('ENOTFOUND'), 'server-unreachable'],
    [failure('ECONNRESET'), 'connection-lost'],
    [failure('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls-failed'],
    [new Error('timeout expired'), 'server-timeout'],
    [new Error('Connection terminated due to connection timeout'), 'server-timeout'],
    [new Error('Connection terminated unexpectedly'), 'connection-lost'],
    [new Error('The server does not support SSL connections'), 'tls-failed'],
    [new Error('There was an error establishing an SSL connection'), 'server-unreachable'],
    [new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')], ''), 'server-unreachable'],
    [failure('XX000', 'whatever'), 'dump-failed'],
  ])('reads %s', (error, code) => {
    expect(readClientError(error, at, [], (reason) => otherwise(reason))).toMatchObject({ code });
  });

  it('is not misled by a password that is part of the words', () => {
    const read = (words: string, secret: string): Error =>
      readClientError(new Error(words), at, [secret], (reason) => otherwise(reason));
    expect(read('timeout expired', 'p')).toMatchObject({ code: 'server-timeout' });
    expect(read('The server does not support SSL connections', 'server')).toMatchObject({
      code: 'tls-failed',
      message: expect.not.stringContaining('The server does') as string,
    });
  });

  it('hides secrets in what the server repeats', () => {
    const error = readClientError(new Error('bad hunter2 here'), at, ['hunter2'], (reason) =>
      otherwise(reason),
    );
    expect(error.message).toBe('pg_dump failed: bad *** here');
  });
});
