import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { plainCall } from '../contracts/engine-under-test.ts';
import { type FreshDatabase, freshDatabase, postgresServers, sql } from '../support/postgres-servers.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

const CONNECTION = 'host=127.0.0.1 port=1 dbname=nowhere';

describe.each(postgresServers())('PostgreSQL $major: dropping a database with subscriptions', (server) => {
  const here = connectionTo(server, 'postgres');
  const engine = postgresEngine(server.clientBinDirs, '/nowhere');
  const drop = (name: string): Promise<void> =>
    engine.databases.drop(here, name, { endSessions: true }, plainCall());
  let database: FreshDatabase;

  beforeAll(async () => {
    database = await freshDatabase(server, 'subscribed');
    // As pg_dump writes it of a subscription that has a slot: the copy must not touch that slot.
    await sql(server, database.name, `CREATE TABLE t (a int)`);
    await sql(
      server,
      database.name,
      `CREATE SUBSCRIPTION "sub ""x"" ${database.name}" CONNECTION '${CONNECTION}' PUBLICATION p WITH (connect = false, slot_name = 'a_slot')`,
    );
  });
  afterAll(async () => {
    await sql(
      server,
      database.name,
      `ALTER SUBSCRIPTION "sub ""x"" ${database.name}" SET (slot_name = NONE); DROP SUBSCRIPTION "sub ""x"" ${database.name}"`,
    ).catch(() => undefined); // it is gone when all went well
    await database.drop();
  });

  test('is refused, by name, when one of them may have met its publisher', async () => {
    await sql(
      server,
      database.name,
      `INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT s.oid, 't'::regclass, 'r' FROM pg_subscription s
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    await expect(drop(database.name)).rejects.toMatchObject({
      code: 'database-subscribed',
      facts: { subscriptions: [`sub "x" ${database.name}`] },
    });
    expect(await engine.databases.exists(here, database.name, plainCall())).toBe(true);
    await sql(server, database.name, `DELETE FROM pg_subscription_rel WHERE srrelid = 't'::regclass`);
  });

  test('succeeds when they are what a restore has made', async () => {
    await drop(database.name);
    expect(await engine.databases.exists(here, database.name, plainCall())).toBe(false);
  });
});
