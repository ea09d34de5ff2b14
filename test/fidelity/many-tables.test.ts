import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect, type FreshDatabase, freshDatabase, postgresServers } from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { completedRestore, dropDatabasesLike } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { completedBackup, register } from '../support/shop.ts';
import { differenceOfDumps } from './dump-text.ts';

const TABLES = 5_000;
/** A server has a limited number of locks for one transaction. */
const BATCH = 500;

const servers = postgresServers();
let service: Service;
beforeAll(async () => {
  service = await startService({ env: { PG_BIN_DIRS: servers.at(-1)?.clientBinDirs.join(':') ?? '' } });
});
afterAll(async () => {
  await service?.stop();
});

async function fill(server: PostgresServer, name: string): Promise<void> {
  const client = await connect(server, name);
  try {
    for (let first = 1; first <= TABLES; first += BATCH) {
      await client.query(
        `DO $$ BEGIN FOR i IN ${first}..${first + BATCH - 1} LOOP
           EXECUTE format('CREATE TABLE t%s (id int, n int DEFAULT %s); INSERT INTO t%s SELECT generate_series(1, %s)', i, i, i, i % 3);
         END LOOP; END $$`,
      );
    }
  } finally {
    await client.end();
  }
}

describe.each(servers)(`PostgreSQL $major: ${TABLES} tables`, (server) => {
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase(server, 'many_tables');
    await fill(server, database.name);
  });
  afterAll(() => dropDatabasesLike(server, database.name));

  test('come back, text for text', async () => {
    await register(service, server, database.name, `many-${server.major}`);
    const backup = await completedBackup(service, `many-${server.major}`);
    expect(backup.contents).toMatchObject({ items: TABLES });
    const { result, target } = await completedRestore(service, backup.id);
    expect(result).toMatchObject({ verified: true, compared: { items: TABLES, schema: true } });
    expect(await differenceOfDumps(server, [database.name, target.database_name])).toBe('');
  });
});
