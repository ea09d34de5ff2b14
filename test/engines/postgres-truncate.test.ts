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
} from '../support/postgres-servers.ts';
import { freshShop } from '../support/shop.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-truncate-'));
});
afterAll(async () => {
  await rm(workDir, { recursive: true });
});

const engine = (): Engine => postgresEngine(newestPostgresServer().clientBinDirs, workDir);

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

  test('a database without tables can be dumped too', async () => {
    await using empty = await freshDatabase(server, 'empty');
    const { signal } = new AbortController();
    const dump = await engine().dump(connectionTo(server, empty.name), {}, { signal });
    const bytes = Buffer.concat(await dump.bytes.toArray());
    expect(bytes.subarray(0, 5).toString()).toBe('PGDMP');
    expect((await dump.content).items).toEqual([]);
  });
});
