import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Engine } from '../../src/engines/engine.ts';
import { beginReading, holdTables } from '../../src/engines/postgres/content-counting.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { PostgresSession } from '../../src/engines/postgres/postgres-session.ts';
import { resolveScope } from '../../src/engines/postgres/scope.ts';
import {
  connect,
  freshDatabase,
  newestPostgresServer,
  postgresServers,
  sql,
} from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { freshShop } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { plainCall } from '../contracts/engine-under-test.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';
import { rowsInArchive } from './rows-in-archive.ts';
import { waitingPgDump } from './waiting-pg-dump.ts';

let workDir: string;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-truncate-'));
});
afterAll(async () => {
  await rm(workDir, { recursive: true });
});

const engine = (): Engine => postgresEngine(newestPostgresServer().clientBinDirs, workDir);

async function isWaiting(
  server: PostgresServer,
  database: string,
  mode = 'AccessExclusiveLock',
): Promise<boolean> {
  const rows = await sql(
    server,
    'postgres',
    `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE d.datname = $1 AND NOT l.granted AND l.mode = $2`,
    [database, mode],
  );
  return rows.length > 0;
}

describe.each(postgresServers())('PostgreSQL $major: TRUNCATE does not respect snapshots', (server) => {
  test('a session that holds the tables of a scope keeps it out, and no writer', async () => {
    await using shop = await freshShop(server);
    const session = await PostgresSession.open(connectionTo(server, shop.name), {
      applicationName: 'backstop tests',
      signal: new AbortController().signal,
      clock: new SystemClock(),
    });
    const other = await connect(server, shop.name);
    try {
      await other.query("SET lock_timeout = '50ms'");
      await beginReading(session);
      await holdTables(session, await resolveScope(session, {}));
      for (const table of ['orders', 'empty']) {
        await expect(other.query(`TRUNCATE ${table}`)).rejects.toThrow('lock timeout');
      }
      await other.query('INSERT INTO empty VALUES (1)');
    } finally {
      await session.close();
      await other.end();
    }
  });

  test('a dump keeps it out until everything is counted, and then no longer', async () => {
    await using shop = await freshShop(server);
    const { signal } = new AbortController();
    const dump = await engine().dump(connectionTo(server, shop.name), {}, { signal });
    const other = await connect(server, shop.name);
    try {
      await other.query("SET lock_timeout = '50ms'");
      await expect(other.query('TRUNCATE orders')).rejects.toThrow('lock timeout');
      await other.query('INSERT INTO orders VALUES (99999, 1, 1)'); // nobody who only writes is disturbed
      await dump.bytes.toArray();
      const content = await dump.content;
      expect(content.items.find(({ name }) => name === 'public.orders')?.rows).toBe(2_000);
      await other.query('SET lock_timeout = 0; TRUNCATE orders'); // and nothing is held any more
    } finally {
      dump.bytes.destroy();
      await other.end();
    }
  });

  test('a TRUNCATE before the counting and the tool have come to a table changes neither the manifest nor the archive', async () => {
    await using shop = await freshShop(server);
    // Counted first, and for long: the table that is truncated has not been looked at.
    await sql(
      server,
      shop.name,
      'CREATE UNLOGGED TABLE a_long_one AS SELECT generate_series(1, 1500000) AS n',
    );
    await using tool = await waitingPgDump(server);
    const waiting = postgresEngine([tool.folder], workDir);
    const opening = waiting.dump(
      connectionTo(server, shop.name),
      {},
      { signal: new AbortController().signal },
    );
    const other = await connect(server, shop.name);
    try {
      await tool.started();
      await other.query("SET lock_timeout = '50ms'");
      await other.query('TRUNCATE orders').catch(() => undefined); // it may not get in; if it does, nobody may notice
      await tool.go();
      const dump = await opening;
      const bytes = Buffer.concat(await dump.bytes.toArray());
      const content = await dump.content;
      const rows = await rowsInArchive(server, bytes);
      expect(Object.fromEntries(content.items.map((item) => [item.name, item.rows]))).toEqual(rows);
      expect(rows['public.orders']).toBe(2_000);
    } finally {
      await other.end();
    }
  });

  test('a TRUNCATE that waits for us makes the tool give up, and not wait for ever', async () => {
    await using shop = await freshShop(server);
    await using tool = await waitingPgDump(server);
    const waiting = postgresEngine([tool.folder], workDir);
    const { signal } = new AbortController();
    const opening = waiting.dump(connectionTo(server, shop.name), {}, { signal });
    const other = await connect(server, shop.name);
    try {
      await tool.started();
      // Queued behind our lock; whoever wants the table from now on, queues behind it: pg_dump too.
      const truncating = other.query('TRUNCATE orders');
      await until('the TRUNCATE to wait', () => isWaiting(server, shop.name));
      await tool.go();
      const failure = await opening.then(
        (dump) => dump.bytes.toArray().catch((error: unknown) => error),
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: 'tables-locked', retryable: true });
      await truncating; // and now it gets in
    } finally {
      await other.end();
    }
  });

  test('a database without tables can be dumped too', async () => {
    await using empty = await freshDatabase(server, 'empty');
    const { signal } = new AbortController();
    const dump = await engine().dump(connectionTo(server, empty.name), {}, { signal });
    const bytes = Buffer.concat(await dump.bytes.toArray());
    expect(bytes.subarray(0, 5).toString()).toBe('PGDMP');
    expect((await dump.content).items).toEqual([]);
  });
});

describe('a table that is dropped while the dump waits for it', () => {
  test('is no reason to fail: the next snapshot does not know it', async () => {
    const server = newestPostgresServer();
    await using shop = await freshShop(server);
    const other = await connect(server, shop.name);
    try {
      await other.query('BEGIN; DROP TABLE empty');
      const dumping = engine().dump(connectionTo(server, shop.name), {}, plainCall());
      dumping.catch(() => undefined);
      await until('the dump to wait', () => isWaiting(server, shop.name, 'AccessShareLock'));
      await other.query('COMMIT');
      const dump = await dumping;
      dump.bytes.resume();
      const { items } = await dump.content;
      expect(items.map(({ name }) => name).toSorted()).toEqual(['public.customers', 'public.orders']);
    } finally {
      await other.end();
    }
  });
});
