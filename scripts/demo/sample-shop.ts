import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

import pg from 'pg';

import type { SampleServer } from './sample-server.ts';

export const SHOP = 'shop';

/** The partition for what is newer than the sample; its name in a manifest. */
export const SOLD_DURING_THE_TOUR = 'shop.orders_later';

/** Between two orders of a busy shop. */
const ORDER_INTERVAL_MS = 5;

export interface ShopSize {
  tables: number;
  rows: number;
  largeObjects: number;
  bytes: number;
  version: string;
}

/** Creates the database and fills it; the same rows each time, within a few seconds. */
export async function fillShop(server: SampleServer, signal: AbortSignal): Promise<ShopSize> {
  await withClient(server, 'postgres', signal, (client) => client.query(`CREATE DATABASE ${SHOP}`));
  const text = await readFile(new URL('sample-shop.sql', import.meta.url), 'utf8');
  return withClient(server, SHOP, signal, async (client) => {
    await client.query(text);
    const counts = await countRows(client);
    const { rows } = await client.query<{ objects: string; bytes: string; version: string }>(
      `SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS objects,
              pg_database_size(current_database()) AS bytes, split_part(current_setting('server_version'), ' ', 1) AS version`,
    );
    const [{ objects, bytes, version } = { objects: '0', bytes: '0', version: '' }] = rows;
    return {
      tables: counts.size,
      rows: [...counts.values()].reduce((sum, count) => sum + count, 0),
      largeObjects: Number(objects),
      bytes: Number(bytes),
      version,
    };
  });
}

/** Counts every table of a database row by row, with nothing of Backstop involved. Names are unquoted: `shop.gift cards`. */
export async function countTables(
  server: SampleServer,
  database: string,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  return withClient(server, database, signal, countRows);
}

/** Creates an empty database. */
export async function createDatabase(server: SampleServer, name: string, signal: AbortSignal): Promise<void> {
  await withClient(server, 'postgres', signal, (client) =>
    client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`),
  );
}

/**
 * Sells one order after another until `signal` aborts, as a shop does while it is backed up. Gives how many orders were
 * placed; rejects when one could not be.
 */
export async function keepSelling(server: SampleServer, signal: AbortSignal): Promise<number> {
  const client = clientFor(server, SHOP);
  await client.connect();
  try {
    let sold = 0;
    while (!signal.aborted) {
      await client.query(
        `WITH placed AS (
           INSERT INTO shop.orders (placed_at, customer_id) VALUES (now(), 1 + $1::bigint % 25000) RETURNING id, placed_at),
         lines AS (
           INSERT INTO shop.order_items (order_id, placed_at, position, product_id, quantity, unit_price)
           SELECT id, placed_at, 1, 1 + $1::int % 4000, 2, 19.90 FROM placed)
         INSERT INTO shop.payments (id, order_id, placed_at, method, amount, paid_at)
         SELECT gen_random_uuid(), id, placed_at, 'card', 39.80, now() FROM placed`,
        [sold],
      );
      sold += 1;
      await wait(ORDER_INTERVAL_MS);
    }
    return sold;
  } finally {
    await client.end();
  }
}

async function countRows(client: pg.Client): Promise<Map<string, number>> {
  const { rows: tables } = await client.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
       AND format('%I.%I', schemaname, tablename)::regclass NOT IN (SELECT partrelid FROM pg_partitioned_table)
     ORDER BY 1, 2`,
  );
  const counts = new Map<string, number>();
  for (const { schema, name } of tables) {
    const quoted = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${quoted}`);
    counts.set(`${schema}.${name}`, Number(rows[0]?.count));
  }
  return counts;
}

async function withClient<T>(
  server: SampleServer,
  database: string,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = clientFor(server, database);
  await client.connect();
  // Ends the session's query at once: what waits for it rejects.
  const giveUp = (): void => void client.end();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await work(client);
  } finally {
    signal.removeEventListener('abort', giveUp);
    await client.end();
  }
}

function clientFor({ host, port, username, password }: SampleServer, database: string): pg.Client {
  const client = new pg.Client({ host, port, user: username, password, database, application_name: 'shop' });
  // A lost connection shows in the query that needs it.
  client.on('error', () => undefined);
  return client;
}
