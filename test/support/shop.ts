import { connect, freshDatabase, type FreshDatabase, sql } from './postgres-servers.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { Service } from './service.ts';
import { until } from './until.ts';

/** A small shop whose every count a test knows. */
export const SHOP_ROWS = { 'public.customers': 500, 'public.orders': 2_000, 'public.empty': 0 } as const;

const SHOP = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, joined timestamptz NOT NULL DEFAULT now());
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, total numeric(10, 2) NOT NULL);
  CREATE INDEX orders_customer ON orders (customer_id);
  CREATE TABLE empty (id int);
  CREATE VIEW spending AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
  INSERT INTO customers SELECT i, 'Kundin Ä ' || i FROM generate_series(1, 500) i;
  INSERT INTO orders SELECT i, 1 + i % 500, i * 1.25 FROM generate_series(1, 2000) i;`;

/** Makes a shop in a database of its own. */
export async function freshShop(server: PostgresServer, prefix = 'shop'): Promise<FreshDatabase> {
  const database = await freshDatabase(server, prefix);
  await sql(server, database.name, SHOP);
  return database;
}

/** Registers a database of a test server under `name`. */
export async function register(
  service: Service,
  server: PostgresServer,
  databaseName: string,
  name: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const { host, port, username, password } = server;
  const answer = await service.request<{ id: string }>('POST', '/databases', {
    name,
    engine: 'postgres',
    host,
    port,
    database_name: databaseName,
    username,
    password,
    ...more,
  });
  if (answer.status !== 201) throw new Error(`not registered: ${answer.text}`);
  return answer.body.id;
}

/** What tests look at in a backup's view. */
export interface BackupBody {
  id: string;
  database_name: string;
  status: string;
  filename: string;
  size_bytes: number;
  plain_bytes: number;
  sha256: string;
  attempt: number;
  locked: boolean;
  description: string | null;
  tool: string;
  copies: { destination: string; key: string; state: string }[];
  contents: { items: number; rows: number };
  evidence: { level: number; name: string } | null;
  progress?: { phase: string; bytes: number; items_done: number; items_total: number | null };
  error: { code: string; detail: string; retryable: boolean } | null;
}

/** Makes a backup and gives it when it is completed. */
export async function completedBackup(
  service: Service,
  name: string,
  more: object = {},
): Promise<BackupBody> {
  const answer = await service.request<BackupBody>('POST', '/backups?wait=completed', {
    database_id: name,
    ...more,
  });
  if (answer.status !== 200) throw new Error(`not completed: ${answer.text}`);
  // The answer to the order has fields of its own, which a look at the backup has not.
  return backupIn(service, answer.body.id, 'completed');
}

/** Polls a backup until it is in one of these states. */
export async function backupIn(service: Service, id: string, ...states: string[]): Promise<BackupBody> {
  return until(`backup ${id} to be ${states.join(' or ')}`, async () => {
    const { body } = await service.request<BackupBody>('GET', `/backups/${id}`);
    return states.includes(body.status) && body;
  });
}

/**
 * Holds a table so that whoever reads it waits: a dump stands still in the middle for as long as a test likes. The release
 * may be called twice.
 */
export async function holdTable(
  server: PostgresServer,
  database: string,
  table: string,
): Promise<() => Promise<void>> {
  const client = await connect(server, database);
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  let released = false;
  return async () => {
    if (released) return;
    released = true;
    await client.end();
  };
}
