import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { connect, type FreshDatabase, freshDatabase, sql } from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { dropDatabasesLike } from '../support/restores.ts';

/** A database that holds everything that PostgreSQL has, and the roles that it names. */
export type Sample = FreshDatabase;

/**
 * Makes the sample on a server: the files of `sql/` that its version understands, one after the other. Disposing of it drops
 * everything that restores made of it too, and its roles.
 */
export async function freshSample(server: PostgresServer): Promise<Sample> {
  const owner = `fidelity_${randomBytes(4).toString('hex')}`;
  const reader = `"${owner} 'reader'"`;
  await sql(server, 'postgres', `CREATE ROLE ${owner}; CREATE ROLE ${reader}`);
  await makeTablespace(server, owner);
  const database = await freshDatabase(server, 'fidelity');
  const drop = async (): Promise<void> => {
    await dropWithSubscriptions(server, database.name);
    await sql(server, 'postgres', `DROP TABLESPACE IF EXISTS ${owner}`);
    await sql(server, 'postgres', `DROP ROLE IF EXISTS ${owner}; DROP ROLE IF EXISTS ${reader}`);
  };
  const files = ['types', 'tables', 'database', 'values', ...newerFiles(server.major)];
  for (const file of files) {
    const text = await readFile(new URL(`sql/${file}.sql`, import.meta.url), 'utf8');
    const statements = text
      .replaceAll('{owner}', owner)
      .replaceAll('{reader}', reader)
      .replaceAll('{database}', database.name);
    await sql(server, database.name, statements).catch((error: unknown) => {
      throw new Error(`${file}.sql on PostgreSQL ${server.major}`, { cause: error });
    });
  }
  return { name: database.name, drop, [Symbol.asyncDispose]: drop };
}

/** A tablespace within the server's own folder: no other folder is needed where the server runs. */
async function makeTablespace(server: PostgresServer, name: string): Promise<void> {
  const client = await connect(server, 'postgres');
  try {
    await client.query('SET allow_in_place_tablespaces = on');
    await client.query(`CREATE TABLESPACE ${name} LOCATION ''`);
  } finally {
    await client.end();
  }
}

function newerFiles(major: number): string[] {
  return [...(major >= 17 ? ['since-17'] : []), ...(major >= 18 ? ['since-18'] : [])];
}

/** A database with a subscription cannot be dropped; those of the sample are asleep and have nothing at the other end. */
async function dropWithSubscriptions(server: PostgresServer, prefix: string): Promise<void> {
  const rows = await sql<{ database: string; subscription: string }>(
    server,
    'postgres',
    `SELECT d.datname AS database, quote_ident(s.subname) AS subscription
       FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE starts_with(d.datname, $1)`,
    [prefix],
  );
  for (const { database, subscription } of rows) {
    await sql(server, database, `DROP SUBSCRIPTION ${subscription}`);
  }
  await dropDatabasesLike(server, prefix);
}
