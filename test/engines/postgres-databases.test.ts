import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { ServerFacts } from '../../src/engines/engine.ts';
import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { plainCall } from '../contracts/engine-under-test.ts';
import {
  connect,
  freshDatabase,
  newestPostgresServer,
  postgresServers,
  sql,
} from '../support/postgres-servers.ts';
import { connectionTo, freshRole, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
let engine: PostgresEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-databases-'));
  engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
});
afterAll(() => rm(workDir, { recursive: true, force: true }));

const unusual = (): string => `-d "ü" 'x' ${crypto.randomUUID().slice(0, 8)}`;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

describe.each(postgresServers())('databases of PostgreSQL $major', (server) => {
  const here = connectionTo(server, 'postgres');
  const like = async (name: string): Promise<ServerFacts> =>
    (await engine.probe(connectionTo(server, name), plainCall())).server;

  test('are created like the dumped one, with its encoding and collation', async () => {
    const [source, copy] = [unusual(), unusual()];
    await sql(
      server,
      'postgres',
      `CREATE DATABASE ${quoted(source)} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`,
    );
    try {
      await engine.databases.create(here, copy, { like: await like(source), owner: 'a test' }, plainCall());
      const rows = await sql(
        server,
        'postgres',
        `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, datctype FROM pg_database WHERE datname = ANY ($1)`,
        [[source, copy]],
      );
      expect(rows).toEqual(
        Array.from({ length: 2 }, () => ({ encoding: 'SQL_ASCII', datcollate: 'C', datctype: 'C' })),
      );
      expect(await engine.databases.exists(here, copy, plainCall())).toBe(true);
      await expect(
        engine.databases.create(here, copy, { like: await like(source), owner: 'a test' }, plainCall()),
      ).rejects.toMatchObject({
        code: 'target-database-exists',
      });
    } finally {
      await engine.databases.drop(here, source, { endSessions: true }, plainCall());
      await engine.databases.drop(here, copy, { endSessions: true }, plainCall());
    }
    expect(await engine.databases.exists(here, copy, plainCall())).toBe(false);
    await engine.databases.drop(here, copy, { endSessions: false }, plainCall());
  });

  test('with ICU keep their provider and locale', async () => {
    const [source, copy] = [unusual(), unusual()];
    await sql(
      server,
      'postgres',
      `CREATE DATABASE ${quoted(source)} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de' ENCODING 'UTF8'`,
    );
    try {
      const facts = await like(source);
      await engine.databases.create(here, copy, { like: facts, owner: 'a test' }, plainCall());
      expect((await like(copy)).details).toMatchObject({
        locale_provider: 'icu',
        locale: facts.details['locale'],
      });
    } finally {
      for (const name of [source, copy]) {
        await engine.databases.drop(here, name, { endSessions: true }, plainCall());
      }
    }
  });

  test('are not created on an older server, with an unknown collation, or without the right', async () => {
    const name = unusual();
    const facts = await like('postgres');
    await expect(
      engine.databases.create(
        here,
        name,
        { like: { ...facts, major: server.major + 1 }, owner: 'a test' },
        plainCall(),
      ),
    ).rejects.toMatchObject({ code: 'server-too-old' });
    const details = {
      ...facts.details,
      locale_provider: 'libc',
      collate: 'xx_YY.UTF-8',
      ctype: 'xx_YY.UTF-8',
    };
    await expect(
      engine.databases.create(here, name, { like: { ...facts, details }, owner: 'a test' }, plainCall()),
    ).rejects.toMatchObject({
      code: 'locale-unavailable',
    });
    await using role = await freshRole(server);
    const connection = { ...here, username: role.name, password: role.password };
    await expect(
      engine.databases.create(connection, name, { like: facts, owner: 'a test' }, plainCall()),
    ).rejects.toMatchObject({
      code: 'permission-denied',
    });
    expect(await engine.databases.exists(here, name, plainCall())).toBe(false);
  });

  test('are reached through a maintenance database when their own is gone', async () => {
    const missing = connectionTo(server, unusual());
    expect(await engine.databases.exists(missing, missing.databaseName, plainCall())).toBe(false);
    expect(await engine.databases.exists(missing, 'postgres', plainCall())).toBe(true);
  });

  test('in use are not dropped or renamed unless sessions may be ended', async () => {
    await using database = await freshDatabase(server, 'in_use');
    const other = await connect(server, database.name);
    const connection = connectionTo(server, database.name);
    expect(await engine.databases.sessions(connection, database.name, plainCall())).toMatchObject([
      { user: server.username, application: 'backstop tests', count: 1 },
    ]);
    await expect(
      engine.databases.drop(connection, database.name, { endSessions: false }, plainCall()),
    ).rejects.toMatchObject({
      code: 'database-in-use',
      message: expect.stringContaining('"end_connections": true') as string,
      facts: { sessions: [{ application: 'backstop tests' }] },
    });
    await expect(
      engine.databases.rename(connection, database.name, 'other', plainCall()),
    ).rejects.toMatchObject({ code: 'database-in-use' });
    await engine.databases.drop(connection, database.name, { endSessions: true }, plainCall());
    expect(await engine.databases.exists(here, database.name, plainCall())).toBe(false);
    await other.end().catch(() => undefined);
  });

  test('are renamed, but not over another one', async () => {
    await using one = await freshDatabase(server, 'rename');
    await using two = await freshDatabase(server, 'rename');
    await expect(engine.databases.rename(here, one.name, two.name, plainCall())).rejects.toMatchObject({
      code: 'target-database-exists',
    });
    const name = unusual();
    await engine.databases.rename(connectionTo(server, one.name), one.name, name, plainCall());
    expect(await engine.databases.exists(here, one.name, plainCall())).toBe(false);
    await engine.databases.drop(here, name, { endSessions: false }, plainCall());
  });

  test('are swapped with owner, rights, settings and comment, and nobody ever sees half of it', async () => {
    await using live = await freshDatabase(server, `live "ü" x`);
    await using fresh = await freshDatabase(server, 'fresh');
    await using role = await freshRole(server);
    const [liveName, owner] = [quoted(live.name), quoted(role.name)];
    await sql(server, live.name, 'CREATE TABLE old_one (a int)');
    await sql(server, fresh.name, 'CREATE TABLE new_one (a int)');
    for (const statement of [
      `ALTER DATABASE ${liveName} OWNER TO ${owner}`,
      `REVOKE CONNECT ON DATABASE ${liveName} FROM PUBLIC`,
      `GRANT CREATE ON DATABASE ${liveName} TO pg_monitor`,
      `ALTER DATABASE ${liveName} SET search_path TO "$user", public, "a b"`,
      `ALTER DATABASE ${liveName} SET work_mem TO '7MB'`,
      `ALTER ROLE ${owner} IN DATABASE ${liveName} SET "app.mode" TO 'it''s, "odd"'`,
      `ALTER DATABASE ${liveName} CONNECTION LIMIT 17`,
      `COMMENT ON DATABASE ${liveName} IS 'the shop''s'`,
    ]) {
      await sql(server, 'postgres', statement);
    }
    const before = await ownThings(live.name);
    const watcher = await connect(server, 'postgres');
    const watching = new AbortController();
    const seen = new Set<string>();
    const keepAs = `${live.name}_k`;
    const watch = (async () => {
      do {
        const { rows } = await watcher.query<{ datname: string }>(
          'SELECT datname FROM pg_database WHERE datname = ANY ($1) ORDER BY 1',
          [[live.name, fresh.name, keepAs]],
        );
        seen.add(
          rows
            .map(({ datname }) => datname)
            .toSorted()
            .join('|'),
        );
      } while (!watching.signal.aborted);
    })();
    await engine.databases.swap(
      connectionTo(server, live.name),
      { live: live.name, fresh: fresh.name, keepAs },
      { endSessions: false },
      plainCall(),
    );
    watching.abort();
    await watch;
    await watcher.end();
    const states = [
      [live.name, fresh.name],
      [live.name, keepAs],
    ].map((names) => names.toSorted().join('|'));
    expect([...seen].filter((state) => !states.includes(state))).toEqual([]);
    expect(await ownThings(live.name)).toEqual(before);
    expect(await tablesOf(live.name)).toEqual(['new_one']);
    expect(await tablesOf(keepAs)).toEqual(['old_one']);
    await engine.databases.drop(here, keepAs, { endSessions: true }, plainCall());
    await live.drop();
  });

  test('in use are not swapped; nothing changes', async () => {
    await using live = await freshDatabase(server, 'live');
    await using fresh = await freshDatabase(server, 'fresh');
    const other = await connect(server, live.name);
    const names = { live: live.name, fresh: fresh.name, keepAs: `${live.name}_k` };
    await expect(
      engine.databases.swap(here, names, { endSessions: false }, plainCall()),
    ).rejects.toMatchObject({ code: 'database-in-use', retryable: true });
    expect(await engine.databases.exists(here, names.keepAs, plainCall())).toBe(false);
    await engine.databases.swap(here, names, { endSessions: true }, plainCall());
    expect(await engine.databases.exists(here, names.fresh, plainCall())).toBe(false);
    await engine.databases.drop(here, names.keepAs, { endSessions: false }, plainCall());
    await other.end().catch(() => undefined);
  });

  async function tablesOf(name: string): Promise<string[]> {
    const rows = await sql<{ relname: string }>(
      server,
      name,
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    return rows.map(({ relname }) => relname);
  }

  async function ownThings(name: string): Promise<unknown> {
    const [row] = await sql(
      server,
      'postgres',
      `SELECT pg_get_userbyid(datdba) AS owner, datconnlimit, shobj_description(oid, 'pg_database') AS comment,
              (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) AS a) AS rights,
              (SELECT array_agg(coalesce(r.rolname, '') || s.setconfig::text ORDER BY 1) FROM pg_db_role_setting s
                 LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid) AS settings
         FROM pg_database d WHERE datname = $1`,
      [name],
    );
    return row;
  }
});
