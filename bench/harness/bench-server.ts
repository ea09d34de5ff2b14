import { Client } from 'pg';

import { type LocalPostgres, startLocalPostgres } from '../../scripts/setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../../scripts/setup/postgres-binaries.mjs';
import { findPostgresClients } from '../../scripts/setup/postgres-clients.mjs';

const MAJOR = 18;

/** No secret: the server listens on loopback only, and its data is gone when the bench ends. */
const CREDENTIALS = { username: 'bench', password: 'only-for-the-bench' };

/**
 * Its disk is not what is measured, so nothing waits for it. `wal_level` stays as it is on most servers, because `minimal`
 * would favour the one transaction in which the service restores.
 */
const SETTINGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_wal_size=8GB',
  'checkpoint_timeout=1h',
  'shared_buffers=256MB',
  'maintenance_work_mem=256MB',
  'jit=off',
];

export interface BenchServer extends LocalPostgres {
  major: number;
  /** Where the service finds client tools. */
  clientFolders: string[];
  /** The folder with the tools that the service takes for this server. */
  tools: string;
  /** What libpq's tools need to reach it. */
  env: Record<string, string>;
}

/** Starts a throw-away server of PostgreSQL 18. Rejects where its client tools are not found. */
export async function startBenchServer(): Promise<BenchServer> {
  const clients = await findPostgresClients();
  const tools = clients[String(MAJOR)];
  if (tools === undefined) throw new Error(`the bench needs client tools of PostgreSQL ${MAJOR}`);
  const bin = await ensurePostgresBinaries(MAJOR);
  const server = await startLocalPostgres({ bin, ...CREDENTIALS, settings: SETTINGS });
  const { host, port, username, password } = server;
  const env = { PGHOST: host, PGPORT: String(port), PGUSER: username, PGPASSWORD: password };
  return { ...server, major: MAJOR, clientFolders: Object.values(clients), tools, env };
}

/** Runs statements one after another in one session of a database, and gives the rows of the last. */
export async function sql<Row>(
  server: BenchServer,
  database: string,
  ...statements: string[]
): Promise<Row[]> {
  const { host, port, username: user, password } = server;
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) ({ rows } = await client.query<Row & object>(statement));
    return rows;
  } finally {
    await client.end();
  }
}
