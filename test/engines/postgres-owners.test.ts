import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { comparable, dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
let engine: PostgresEngine;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-owners-'));
  engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
});
afterAll(() => rm(workDir, { recursive: true }));

/** A role that owns things, and one that may create databases and is its member in the given way. */
async function roles(
  server: PostgresServer,
  membership: string,
): Promise<AsyncDisposable & { owner: string; restorer: string }> {
  const id = randomBytes(6).toString('hex');
  const [owner, restorer] = [`owner_${id}`, `restorer_${id}`];
  await sql(
    server,
    'postgres',
    `CREATE ROLE ${owner}; CREATE ROLE ${restorer} LOGIN CREATEDB PASSWORD 'not-a-secret';
     ${membership.replaceAll('OWNER', owner).replaceAll('RESTORER', restorer)}`,
  );
  return {
    owner,
    restorer,
    [Symbol.asyncDispose]: async () => {
      await sql(server, 'postgres', `DROP ROLE ${restorer}, ${owner}`);
    },
  };
}

const IN_PUBLIC = `
  CREATE TABLE public.t (id serial PRIMARY KEY); INSERT INTO public.t DEFAULT VALUES;
  CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
  ALTER TABLE public.t OWNER TO OWNER; ALTER FUNCTION public.f() OWNER TO OWNER;`;
const IN_ITS_SCHEMA = `
  CREATE SCHEMA s AUTHORIZATION OWNER; CREATE TABLE s.t (id serial PRIMARY KEY); INSERT INTO s.t DEFAULT VALUES;
  ALTER TABLE s.t OWNER TO OWNER;`;
const IN_ANOTHER_SCHEMA = `
  CREATE SCHEMA s; CREATE TABLE s.t (id int); ALTER TABLE s.t OWNER TO OWNER; GRANT CREATE, USAGE ON SCHEMA s TO OWNER;`;

interface Case {
  membership: string;
  /** From which version on the server knows the words. */
  since?: number;
  objects: string;
  keepsOwner: (major: number) => boolean;
}

const MEMBER = 'GRANT OWNER TO RESTORER';
const CASES: Case[] = [
  { membership: MEMBER, objects: IN_ITS_SCHEMA, keepsOwner: () => true },
  { membership: MEMBER, objects: IN_PUBLIC, keepsOwner: (major) => major < 15 },
  { membership: MEMBER, objects: IN_ANOTHER_SCHEMA, keepsOwner: () => false },
  { membership: `${MEMBER} WITH SET FALSE`, since: 16, objects: IN_ITS_SCHEMA, keepsOwner: () => false },
  { membership: `${MEMBER} WITH INHERIT FALSE`, since: 16, objects: IN_ITS_SCHEMA, keepsOwner: () => false },
  {
    membership: `ALTER ROLE RESTORER NOINHERIT; ${MEMBER}`,
    objects: IN_ITS_SCHEMA,
    keepsOwner: () => false,
  },
  { membership: '', objects: IN_PUBLIC, keepsOwner: () => false },
];

describe.each(postgresServers())('PostgreSQL $major: a restore by a user who is no superuser', (server) => {
  test.for(CASES)('of things of another role ($membership)$objects', async (wanted, context) => {
    const { membership, since = 0, objects, keepsOwner } = wanted;
    context.skip(server.major < since, 'this server does not know the words');
    await using made = await roles(server, membership);
    await using source = await freshDatabase(server, 'owners');
    await sql(
      server,
      source.name,
      objects
        .replaceAll('OWNER TO OWNER', `OWNER TO ${made.owner}`)
        .replaceAll(/\bOWNER;/g, `${made.owner};`)
        .replaceAll('AUTHORIZATION OWNER', `AUTHORIZATION ${made.owner}`),
    );
    const { bytes, content } = await dumped(engine, connectionTo(server, source.name), {});
    const as = { ...connectionTo(server, 'postgres'), username: made.restorer, password: 'not-a-secret' };
    const copy = `${source.name}_copy`;
    const { server: facts } = await engine.probe(connectionTo(server, source.name), plainCall());
    await engine.databases.create(as, copy, { like: facts, owner: 'a test' }, plainCall());
    try {
      const fresh = { ...as, databaseName: copy };
      const { notes } = await engine.restore(
        fresh,
        piecesOf(bytes),
        { format: 'custom', workDir },
        plainCall(),
      );
      expect(comparable(await engine.measure(fresh, {}, plainCall()))).toEqual(comparable(content));
      const owned = await sql<{ owner: string }>(
        server,
        copy,
        `SELECT tableowner AS owner FROM pg_tables WHERE schemaname IN ('public', 's')`,
      );
      const keeps = keepsOwner(server.major);
      expect(owned).toEqual([{ owner: keeps ? made.owner : made.restorer }]);
      expect(notes.filter((note) => note.startsWith('owners are not restored'))).toHaveLength(keeps ? 0 : 1);
    } finally {
      await sql(server, 'postgres', `DROP DATABASE "${copy}"`);
    }
  });
});
