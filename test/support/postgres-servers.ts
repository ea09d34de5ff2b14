import { randomBytes } from 'node:crypto';

import { Client, escapeIdentifier, type QueryResult, type QueryResultRow } from 'pg';
import { inject } from 'vitest';

import type { PostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresServers: PostgresServer[];
  }
}

/** A database of a test's own. `await using` drops it at the end of the block; otherwise call `drop` in a hook. */
export interface FreshDatabase extends AsyncDisposable {
  name: string;
  /** Drops the database and ends whoever is still connected to it. Fine when it is gone already. */
  drop(): Promise<void>;
}

/** The servers of this run, oldest major first; the same for every test file. Empty where none can be had. */
export function postgresServers(): PostgresServer[] {
  return inject('postgresServers');
}

/** The server with the newest major, for tests that need one server and any will do. */
export function newestPostgresServer(): PostgresServer {
  const newest = postgresServers().at(-1);
  if (newest === undefined)
    throw new Error('no PostgreSQL server could be started for this run; its output says why');
  return newest;
}

/** The server of one major. Throws when this run has none. */
export function postgresServer(major: number): PostgresServer {
  const found = postgresServers().find((server) => server.major === major);
  if (found === undefined) throw new Error(`this run has no PostgreSQL ${major}; its output says why`);
  return found;
}

/**
 * Creates an empty database that no other test knows. `namePrefix` may hold anything that a database name may (blanks, quotes,
 * Unicode); a random end is added, and the whole stays below PostgreSQL's 63 bytes.
 */
export async function freshDatabase(server: PostgresServer, namePrefix: string): Promise<FreshDatabase> {
  const name = `${namePrefix}_${randomBytes(4).toString('hex')}`;
  if (Buffer.byteLength(name) > 63) throw new Error(`"${name}" is longer than 63 bytes and would be cut`);
  await sql(server, 'postgres', `CREATE DATABASE ${escapeIdentifier(name)}`);
  const drop = async (): Promise<void> => {
    await sql(server, 'postgres', `DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
  };
  return { name, drop, [Symbol.asyncDispose]: drop };
}

/**
 * Runs one statement on a connection of its own and gives the rows. Several statements may stand in `text` when there are no
 * `params`; then the rows are those of the last one.
 */
export async function sql<Row extends QueryResultRow = QueryResultRow>(
  server: PostgresServer,
  database: string,
  text: string,
  params?: unknown[],
): Promise<Row[]> {
  const client = await connect(server, database);
  try {
    const result: QueryResult<Row> | QueryResult<Row>[] = await client.query<Row>(text, params);
    return [result].flat().at(-1)?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** An open connection for tests that need a session (locks, snapshots). The caller ends it. */
export async function connect(server: PostgresServer, database: string): Promise<Client> {
  const { host, port, username: user, password } = server;
  const client = new Client({ host, port, user, password, database, application_name: 'backstop tests' });
  // A server that ends the session (DROP … WITH FORCE) also emits this; queries that matter reject by themselves.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
