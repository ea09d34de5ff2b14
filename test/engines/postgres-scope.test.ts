import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { DumpScope } from '../../src/engines/engine.ts';
import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { comparable, dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import { fillWithSample, SAMPLE_ROWS } from '../support/sample-postgres.ts';
import { connectionTo, freshRole, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
let engine: PostgresEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-scope-'));
  engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
});
afterAll(() => rm(workDir, { recursive: true, force: true }));

const EXCLUDED = [
  'public.measures',
  'public.orders',
  'Größe & "Ziel".Straße "Nr. 1"',
  'public.no_such_table',
];

describe.each(postgresServers())('the scope of a dump of PostgreSQL $major', (server) => {
  const scopes: [string, DumpScope, string[]][] = [
    [
      'without some tables: their partitions, foreign keys and sequences go too',
      { excludeTables: [...EXCLUDED, 'shop.big_orders', 'shop.per_day'] },
      Object.keys(SAMPLE_ROWS).filter(
        (name) =>
          !name.startsWith('public.measures') && name !== 'public.orders' && !name.startsWith('Größe'),
      ),
    ],
    [
      'of one schema, whose extensions come with it',
      { schemas: ['public'] },
      Object.keys(SAMPLE_ROWS).filter((name) => name.startsWith('public.')),
    ],
    [
      'of schemas with unusual names',
      { schemas: ['-rf /', 'Größe & "Ziel"'] },
      ['-rf /.--drop table x', 'Größe & "Ziel".Straße "Nr. 1"'],
    ],
  ];

  test.each(scopes)('%s', async (_, scope, names) => {
    await using source = await freshDatabase(server, 'scope');
    await fillWithSample(server, source.name);
    const { bytes, content } = await dumped(engine, connectionTo(server, source.name), scope);
    expect(content.items.map(({ name }) => name)).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
    await using target = await freshDatabase(server, 'scope_target');
    const connection = connectionTo(server, target.name);
    await engine.restore(connection, piecesOf(bytes), { format: 'custom', workDir }, plainCall());
    expect(comparable(await engine.measure(connection, scope, plainCall()))).toEqual(comparable(content));
  });

  test('that names a schema which is not there fails, although the other one is', async () => {
    await using source = await freshDatabase(server, 'missing');
    await sql(server, source.name, 'CREATE TABLE public.here (a int)');
    await expect(
      dumped(engine, connectionTo(server, source.name), { schemas: ['public', 'gone'] }),
    ).rejects.toMatchObject({ code: 'dump-failed', message: expect.stringContaining('gone') as string });
  });

  test('with roles has a companion that holds them, and no password', async () => {
    await using role = await freshRole(server);
    await using source = await freshDatabase(server, 'roles');
    const dump = await engine.dump(connectionTo(server, source.name), { includeRoles: true }, plainCall());
    for await (const chunk of dump.bytes) void chunk;
    await dump.content;
    const [companion] = dump.companions;
    expect(companion).toMatchObject({ role: 'roles', extension: 'roles.sql' });
    const chunks = (await (await companion?.open(plainCall()))?.toArray()) as Buffer[];
    const text = Buffer.concat(chunks).toString();
    expect(text).toContain(`CREATE ROLE "${role.name.replaceAll('"', '""')}"`);
    expect(text).toMatch(/PostgreSQL database cluster dump complete/);
    expect(text).not.toMatch(/PASSWORD '|SCRAM-SHA-256/);
  });

  test("is dumped whatever the database's own settings are", async () => {
    await using source = await freshDatabase(server, 'settings');
    await fillWithSample(server, source.name);
    const first = await dumped(engine, connectionTo(server, source.name), { hashContent: true });
    for (const setting of [
      `statement_timeout TO '20ms'`,
      `idle_in_transaction_session_timeout TO '20ms'`,
      `lock_timeout TO '20ms'`,
      `search_path TO shop`,
      `extra_float_digits TO 0`,
      `"DateStyle" TO 'SQL, DMY'`,
      `"IntervalStyle" TO 'iso_8601'`,
      `"TimeZone" TO 'Asia/Jakarta'`,
      `bytea_output TO 'escape'`,
      `default_transaction_isolation TO 'serializable'`,
    ]) {
      await sql(server, 'postgres', `ALTER DATABASE "${source.name}" SET ${setting}`);
    }
    const second = await dumped(engine, connectionTo(server, source.name), { hashContent: true });
    expect(comparable(second.content)).toEqual(comparable(first.content));
  });

  test('without what others need is refused, and says who does', async () => {
    await using source = await freshDatabase(server, 'needed');
    await sql(
      server,
      source.name,
      `CREATE TABLE log (id serial PRIMARY KEY, line text);
       CREATE TABLE kept (id int PRIMARY KEY, log_id int REFERENCES log);
       CREATE VIEW lines AS SELECT line FROM log;
       CREATE MATERIALIZED VIEW "many lines" AS SELECT line FROM log;
       CREATE FUNCTION count_lines() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM log; END;
       CREATE FUNCTION read_later() RETURNS bigint LANGUAGE sql AS 'SELECT 1';
       CREATE TABLE owner_of_rows (a log);
       CREATE TABLE guarded (id int);
       CREATE POLICY seen ON guarded USING (id IN (SELECT id FROM log));
       CREATE SCHEMA other; CREATE TABLE other.of_public (a public.log);
       CREATE VIEW other.far AS SELECT id FROM public.kept;`,
    );
    const connection = connectionTo(server, source.name);
    const scope = { excludeTables: ['public.log'] };
    const needing = [
      'function public.count_lines()',
      'other.of_public',
      'public.guarded',
      'public.lines',
      'public.many lines',
      'public.owner_of_rows',
    ];
    await expect(engine.dump(connection, scope, plainCall())).rejects.toMatchObject({
      code: 'dump-not-restorable',
      retryable: false,
      facts: { objects: needing },
    });
    await expect(engine.dump(connection, { ...scope, format: 'plain' }, plainCall())).rejects.toMatchObject({
      facts: { objects: needing.toSpliced(3, 0, 'public.kept') },
    });
    const { warnings } = await engine.probe(connection, plainCall(), scope);
    expect(warnings).toMatchObject([
      { code: 'dump-not-restorable', detail: expect.stringContaining('public.many lines') as string },
    ]);
    await expect(engine.dump(connection, { schemas: ['other'] }, plainCall())).rejects.toMatchObject({
      code: 'dump-not-restorable',
      facts: { objects: ['other.far', 'other.of_public'] },
    });
    expect((await engine.probe(connection, plainCall(), { schemas: ['public'] })).warnings).toEqual([]);
    expect((await engine.probe(connection, plainCall())).warnings).toEqual([]);
  });

  test('warns of what would fail, before it does', async () => {
    await using role = await freshRole(server);
    await using database = await freshDatabase(server, 'probe');
    await sql(
      server,
      database.name,
      `CREATE TABLE open_one (a int); CREATE TABLE closed (a int); CREATE TABLE guarded (a int);
       ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON open_one, guarded TO PUBLIC`,
    );
    const good = await engine.probe(connectionTo(server, database.name), plainCall());
    expect(good).toMatchObject({
      itemCount: 3,
      warnings: [],
      server: { major: server.major },
      tool: { name: 'pg_dump' },
    });
    expect(good.sizeBytes).toBeGreaterThan(1_000_000);
    const poor = { ...connectionTo(server, database.name), username: role.name, password: role.password };
    const { warnings } = await engine.probe(poor, plainCall());
    expect(warnings.map(({ code }) => code)).toEqual(['tables-unreadable', 'cannot-create-databases']);
    expect(warnings[0]?.detail).toMatch(/public\.closed, public\.guarded,/);
    await expect(engine.dump(poor, {}, plainCall())).rejects.toMatchObject({
      code: 'permission-denied',
      facts: { objects: ['public.closed', 'public.guarded'] },
    });
  });
});

describe('a dump', () => {
  test('that does not hold what was counted has no content', async () => {
    const server = newestPostgresServer();
    const real = server.clientBinDirs.find((folder) => folder.includes(`/${server.major}/`)) ?? '';
    const folder = join(workDir, 'bin');
    await mkdir(folder, { recursive: true });
    const forgetful = `#!/bin/sh\n[ "$1" = --version ] && exec '${real}/pg_dump' --version\nexec '${real}/pg_dump' "$@" --exclude-table=public.lost\n`;
    await writeFile(join(folder, 'pg_dump'), forgetful);
    await chmod(join(folder, 'pg_dump'), 0o755);
    await using source = await freshDatabase(server, 'lost');
    await sql(server, source.name, 'CREATE TABLE lost (a int); CREATE TABLE kept (a int)');
    const dump = await postgresEngine([folder], join(workDir, 'w')).dump(
      connectionTo(server, source.name),
      {},
      plainCall(),
    );
    for await (const chunk of dump.bytes) void chunk;
    await expect(dump.content).rejects.toMatchObject({ code: 'schema-changed', retryable: true });
  });

  test('says what it works on, table by table', async () => {
    const server = newestPostgresServer();
    await using source = await freshDatabase(server, 'progress');
    await fillWithSample(server, source.name);
    const seen: [string | undefined, number, number | undefined][] = [];
    const dump = await engine.dump(
      connectionTo(server, source.name),
      {},
      {
        ...plainCall(),
        onProgress: ({ item, itemsDone, itemsTotal }) => seen.push([item, itemsDone, itemsTotal]),
      },
    );
    for await (const chunk of dump.bytes) void chunk;
    await dump.content;
    expect(new Set(seen.map(([item]) => item))).toEqual(new Set(Object.keys(SAMPLE_ROWS)));
    expect(seen.map(([, done]) => done)).toEqual(seen.map((_, index) => index));
    expect(new Set(seen.map(([, , total]) => total))).toEqual(new Set([Object.keys(SAMPLE_ROWS).length]));
  });
});
