import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SystemClock } from '../../src/clock/system-clock.ts';
import type { Connection } from '../../src/engines/engine.ts';
import { PostgresTools } from '../../src/engines/postgres/postgres-tools.ts';
import { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { ToolFinder } from '../../src/process/tool-finder.ts';
import {
  type EngineUnderTest,
  killChildren,
  type ProvokedFailure,
  type TestDatabase,
  writtenByChildren,
} from '../contracts/engine-under-test.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { connect, type FreshDatabase, freshDatabase, sql } from '../support/postgres-servers.ts';
import { fillWithSample, SAMPLE_ROWS } from '../support/sample-postgres.ts';

const clock = new SystemClock();

/** Others may run tests on the same server at the same time. */
const OURS = `application_name ~ '^backstop [0-9a-f]' AND datname = ANY ($1::text[])`;

/** An engine that finds exactly the tools in these folders. */
export function postgresEngine(folders: readonly string[], workDir: string): PostgresEngine {
  const finder = new ToolFinder({ folders, patterns: [], path: '' }, clock);
  return new PostgresEngine(new PostgresTools(finder), { clock, workDir });
}

export function connectionTo(server: PostgresServer, databaseName: string): Connection {
  const { host, port, username, password } = server;
  return { host, port, username, password, databaseName, tls: { mode: 'prefer' } };
}

/** A role of a test's own that may log in and nothing else. */
export async function freshRole(
  server: PostgresServer,
): Promise<AsyncDisposable & { name: string; password: string }> {
  const name = `role "ü" ${crypto.randomUUID().slice(0, 8)}`;
  const password = 'not-a-secret: with \\ and :';
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await sql(server, 'postgres', `CREATE ROLE ${quoted} LOGIN PASSWORD '${password}'`);
  return {
    name,
    password,
    [Symbol.asyncDispose]: async () => {
      await sql(server, 'postgres', `DROP ROLE IF EXISTS ${quoted}`);
    },
  };
}

/** The engine and one server, as the contract wants them. */
export async function openPostgres(
  server: PostgresServer,
): Promise<{ under: EngineUnderTest; close(): Promise<void> }> {
  const filesFolder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
  const engine = postgresEngine(server.clientBinDirs, filesFolder);
  const made: FreshDatabase[] = [];
  const names = new Set<string>();
  const once = (fill: (name: string) => Promise<void>): (() => Promise<Connection>) => {
    let filled: Promise<Connection> | undefined;
    return () => (filled ??= makeDatabase(server, made, names, fill));
  };
  const silent = await silentServer();
  const under: EngineUnderTest = {
    engine,
    filesFolder,
    sampleItems: SAMPLE_ROWS,
    sample: once((name) => fillWithSample(server, name)),
    bulky: once((name) => fillWithBulk(server, name)),
    empty: () => emptyDatabase(server, names),
    sessions: async () => {
      const rows = await sql(server, 'postgres', `SELECT FROM pg_stat_activity WHERE ${OURS}`, [[...names]]);
      return rows.length;
    },
    killOnServer: async () => {
      // The session of pg_dump copies; the one that counts must not be the first to go.
      await sql(
        server,
        'postgres',
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND query LIKE 'COPY %'`,
        [[...names]],
      );
    },
    killTool: killChildren,
    mostBufferedBytes: 4 * 1024 * 1024,
    bytesProduced: writtenByChildren,
    startWriter: (connection) => startWriter(server, connection.databaseName),
    failures: failuresOf(server, filesFolder, (silent.address() as { port: number }).port),
  };
  const close = async (): Promise<void> => {
    silent.close();
    await Promise.all(made.map((database) => database.drop()));
    await rm(filesFolder, { recursive: true, force: true });
  };
  return { under, close };
}

async function makeDatabase(
  server: PostgresServer,
  made: FreshDatabase[],
  names: Set<string>,
  fill: (name: string) => Promise<void>,
): Promise<Connection> {
  const database = await freshDatabase(server, `-engine "ü' x`);
  made.push(database);
  names.add(database.name);
  await fill(database.name);
  return connectionTo(server, database.name);
}

async function emptyDatabase(server: PostgresServer, names: Set<string>): Promise<TestDatabase> {
  const database = await freshDatabase(server, 'engine empty');
  names.add(database.name);
  return {
    connection: connectionTo(server, database.name),
    [Symbol.asyncDispose]: () => database.drop(),
  };
}

async function fillWithBulk(server: PostgresServer, name: string): Promise<void> {
  await sql(
    server,
    name,
    `CREATE TABLE first (id int PRIMARY KEY, body text);
     CREATE TABLE second (id int PRIMARY KEY, body text);
     INSERT INTO first SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 60000) i;
     INSERT INTO second SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 20000) i;`,
  );
}

async function startWriter(server: PostgresServer, name: string): Promise<{ stop(): Promise<number> }> {
  const client = await connect(server, name);
  await client.query('CREATE TABLE log (id bigserial PRIMARY KEY, body text)');
  await client.query(`INSERT INTO log (body) SELECT 'before ' || i FROM generate_series(1, 50000) i`);
  const stop = new AbortController();
  const writing = (async () => {
    for (let batch = 0; !stop.signal.aborted || batch === 0; batch += 1) {
      await client.query(`INSERT INTO log (body) SELECT 'during ' || i FROM generate_series(1, 20) i`);
      await client.query('UPDATE log SET body = body || $1 WHERE id % 5000 = 0', [String(batch)]);
      await client.query('DELETE FROM log WHERE id = $1', [batch + 1]);
    }
    const { rows } = await client.query<{ n: string }>('SELECT last_value AS n FROM log_id_seq');
    await client.end();
    return Number(rows[0]?.n);
  })();
  return {
    stop: () => {
      stop.abort();
      return writing;
    },
  };
}

/** Accepts connections and never says a word. */
async function silentServer(): Promise<Server> {
  const server = createServer(() => undefined);
  server.unref();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

function failuresOf(server: PostgresServer, filesFolder: string, silentPort: number): ProvokedFailure[] {
  const good = connectionTo(server, 'postgres');
  const engine = postgresEngine(server.clientBinDirs, filesFolder);
  const dump = (connection: Connection) => (call: Parameters<PostgresEngine['dump']>[2]) =>
    engine.dump(connection, {}, call);
  const older = server.clientBinDirs.filter((folder) => majorIn(folder) < server.major);
  return [
    {
      name: 'a wrong password',
      code: 'authentication-failed',
      retryable: false,
      provoke: dump({ ...good, password: 'wrong-password' }),
    },
    {
      name: 'no password',
      code: 'authentication-failed',
      retryable: false,
      provoke: dump({ ...good, password: undefined }),
    },
    {
      name: 'an unknown user',
      code: 'authentication-failed',
      retryable: false,
      provoke: dump({ ...good, username: 'nobody at all', password: 'wrong-password' }),
    },
    {
      name: 'a closed port',
      code: 'server-unreachable',
      retryable: true,
      provoke: dump({ ...good, port: 1 }),
    },
    {
      name: 'an unknown host',
      code: 'server-unreachable',
      retryable: true,
      provoke: dump({ ...good, host: 'no-such-host.invalid' }),
    },
    {
      name: 'a server that accepts and never answers',
      code: 'server-timeout',
      retryable: true,
      provoke: dump({ ...good, host: '127.0.0.1', port: silentPort }),
    },
    {
      name: 'an unknown database',
      code: 'database-absent',
      retryable: false,
      provoke: dump({ ...good, databaseName: 'no such "database"' }),
    },
    {
      name: 'a missing tool',
      code: 'tool-missing',
      retryable: false,
      provoke: (call) => postgresEngine([], filesFolder).dump(good, {}, call),
    },
    ...(older.length === 0
      ? []
      : [
          {
            name: 'only older tools',
            code: 'tool-too-old',
            retryable: false,
            provoke: (call: Parameters<PostgresEngine['dump']>[2]) =>
              postgresEngine(older, filesFolder).dump(good, {}, call),
          },
        ]),
    {
      name: 'a missing right on one table',
      code: 'permission-denied',
      retryable: false,
      provoke: (call) => dumpWithoutRight(server, engine, call),
    },
    {
      name: 'an unknown format',
      code: 'format-unsupported',
      retryable: false,
      provoke: (call) => engine.dump(good, { format: 'archive' }, call),
    },
  ];
}

function majorIn(folder: string): number {
  return Number(/\/(\d+)\/bin/.exec(folder)?.[1] ?? Number.POSITIVE_INFINITY);
}

async function dumpWithoutRight(
  server: PostgresServer,
  engine: PostgresEngine,
  call: Parameters<PostgresEngine['dump']>[2],
): Promise<unknown> {
  await using role = await freshRole(server);
  await using database = await freshDatabase(server, 'rights');
  await sql(
    server,
    database.name,
    'CREATE TABLE open_to_all (a int); GRANT SELECT ON open_to_all TO PUBLIC; CREATE TABLE closed (a int)',
  );
  const connection = { ...connectionTo(server, database.name), username: role.name, password: role.password };
  return await engine.dump(connection, {}, call);
}
