import { Socket } from 'node:net';

import pg from 'pg';

import type { Clock } from '../../clock/clock.js';
import type { Connection, TlsChoice } from '../engine.js';
import { readClientError } from './error-reading.js';
import { QueryFailedError } from '../engines.errors.js';
import { secretsOf } from './tool-access.js';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_DELAY_MS = 30_000;
/** How long the goodbye of a server is waited for. One that is cut off never says it. */
const GOODBYE_MS = 2_000;

/** For what a session is opened. */
export interface SessionUse {
  /** The name under which the server shows it. */
  applicationName: string;
  signal: AbortSignal;
  clock: Clock;
  /** Called for each statement that the server has answered. */
  onAnswer?: () => void;
}

/** A connection, and the socket below it, which can be closed without asking the server. */
interface OpenClient {
  client: pg.Client;
  socket: Socket;
}

/**
 * Settings of every session. No timeout of the server may end a dump midway; values print the same whatever the server's or
 * database's own settings are, because hashes are made of what is printed; names come with their schemas.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['lock_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['idle_session_timeout', '0'],
  ['transaction_timeout', '0'],
  ['search_path', ''],
  ['row_security', 'off'],
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['TimeZone', 'UTC'],
  ['extra_float_digits', '1'],
  ['bytea_output', 'hex'],
  ['lc_monetary', 'C'],
  ['xmlbinary', 'base64'],
  ['quote_all_identifiers', 'off'],
  ['default_transaction_read_only', 'off'],
  // Compiling the wide queries over the catalogs took 3 to 7 s on PostgreSQL 15 and 17, and running them 0.1 s.
  ['jit', 'off'],
];

/** One connection to a server, for SQL. Every failure of it is an `EngineError`. */
export class PostgresSession {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #connection: Connection;
  readonly #signal: AbortSignal;
  readonly #use: SessionUse;
  readonly #onAbort = (): void => this.#tear();
  #isClosed = false;

  /**
   * Connects within 10 s, which also covers a server that accepts and never answers. The session ends with `close`, or when
   * the signal aborts; queries then reject with the signal's reason.
   */
  static async open(connection: Connection, use: SessionUse): Promise<PostgresSession> {
    use.signal.throwIfAborted();
    const open = await connectClient(connection, use.applicationName, use.signal);
    const session = new PostgresSession(open, connection, use);
    try {
      // Alone and first: the database's own limit may be shorter than the statement after it takes.
      await session.query('SET statement_timeout = 0');
      await session.query(
        `SELECT set_config(s.name, s.value, false)
           FROM unnest($1::text[], $2::text[]) AS s(name, value) JOIN pg_catalog.pg_settings p ON lower(p.name) = lower(s.name)`,
        [SETTINGS.map(([name]) => name), SETTINGS.map(([, value]) => value)],
      );
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private constructor({ client, socket }: OpenClient, connection: Connection, use: SessionUse) {
    this.#client = client;
    this.#socket = socket;
    this.#connection = connection;
    this.#signal = use.signal;
    this.#use = use;
    // Without a listener a broken connection between two queries would end the process; the next query tells.
    client.on('error', () => undefined);
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Runs one statement and gives its rows. Numbers of type bigint and numeric come as text. */
  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.#signal.throwIfAborted();
    try {
      const result = await this.#client.query<Row>(text, [...values]);
      this.#use.onAnswer?.();
      return result.rows;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw readClientError(error, this.#connection, secretsOf(this.#connection), queryFailed);
    }
  }

  /** Runs one statement that gives exactly one row. */
  async one<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row> {
    const [row] = await this.query<Row>(text, values);
    if (row === undefined) throw queryFailed('a query that gives one row gave none', undefined);
    return row;
  }

  /** Ends the session; a running query is left to the server. Any number of times. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    const said = new AbortController();
    const waiting = this.#use.clock.sleep(GOODBYE_MS, said.signal).then(
      () => void this.#socket.destroy(),
      () => undefined,
    );
    await this.#client.end().catch(() => undefined);
    said.abort();
    await waiting;
  }

  /** Ends it without a goodbye: the server may be the reason for the abort. */
  #tear(): void {
    this.#socket.destroy();
    void this.close();
  }
}

/** A name as an SQL identifier. */
export function identifier(...names: readonly string[]): string {
  return names.map((name) => pg.escapeIdentifier(name)).join('.');
}

/** A text as an SQL string constant, where no parameter is possible. */
export function literal(text: string): string {
  return pg.escapeLiteral(text);
}

function queryFailed(reason: string, cause: unknown): Error {
  return new QueryFailedError(reason, cause);
}

async function connectClient(
  connection: Connection,
  applicationName: string,
  signal: AbortSignal,
): Promise<OpenClient> {
  const plaintextAllowed = connection.tls.mode === 'prefer';
  try {
    return await connectOnce(connection, applicationName, signal, connection.tls.mode !== 'disable');
  } catch (error) {
    const isRefusedTls = error instanceof Error && /does not support SSL/i.test(error.message);
    if (plaintextAllowed && isRefusedTls) {
      try {
        return await connectOnce(connection, applicationName, signal, false);
      } catch (second) {
        throw readConnectError(second, connection, signal);
      }
    }
    throw readConnectError(error, connection, signal);
  }
}

async function connectOnce(
  connection: Connection,
  applicationName: string,
  signal: AbortSignal,
  encrypted: boolean,
): Promise<OpenClient> {
  const socket = new Socket();
  const client = new pg.Client({
    stream: () => socket,
    host: connection.host,
    port: connection.port,
    database: connection.databaseName,
    user: connection.username,
    password: connection.password ?? '',
    ssl: encrypted && !connection.host.startsWith('/') ? tlsOptions(connection) : false,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
  });
  client.on('error', () => undefined);
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    return { client, socket };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function tlsOptions({ host, tls }: { host: string; tls: TlsChoice }): pg.ClientConfig['ssl'] {
  const verifies = tls.mode === 'verify-ca' || tls.mode === 'verify-full';
  return {
    host,
    ca: verifies ? tls.ca : undefined,
    cert: tls.cert,
    key: tls.key,
    rejectUnauthorized: verifies,
    // verify-ca asks who signed the certificate, not for which name.
    ...(tls.mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function readConnectError(error: unknown, connection: Connection, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted');
  return readClientError(error, connection, secretsOf(connection), queryFailed);
}
