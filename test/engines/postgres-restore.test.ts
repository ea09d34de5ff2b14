import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { RestoreChoice, RestoreOutcome } from '../../src/engines/engine.ts';
import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { comparable, dumped, filesBelow, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import {
  type FreshDatabase,
  freshDatabase,
  newestPostgresServer,
  postgresServer,
  postgresServers,
  sql,
} from '../support/postgres-servers.ts';
import { fillWithSample } from '../support/sample-postgres.ts';
import { connectionTo, freshRole, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
let engine: PostgresEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-restore-'));
  engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
});
afterAll(() => rm(workDir, { recursive: true, force: true }));

async function restoreInto(
  server: PostgresServer,
  target: FreshDatabase,
  bytes: Buffer,
  choice: Partial<RestoreChoice> = {},
): Promise<RestoreOutcome> {
  return await engine.restore(
    connectionTo(server, target.name),
    piecesOf(bytes),
    { format: 'custom', workDir, ...choice },
    plainCall(),
  );
}

describe.each(postgresServers())('restoring to PostgreSQL $major', (server) => {
  test('with several jobs gives the same copy, and leaves no file', async () => {
    await using source = await freshDatabase(server, 'jobs');
    await fillWithSample(server, source.name);
    const { bytes, content } = await dumped(engine, connectionTo(server, source.name), { hashContent: true });
    await using target = await freshDatabase(server, 'jobs_target');
    await restoreInto(server, target, bytes, { jobs: 3 });
    const found = await engine.measure(connectionTo(server, target.name), { hashContent: true }, plainCall());
    expect(comparable(found)).toEqual(comparable(content));
    expect(await filesBelow(workDir)).toEqual([]);

    await using untouched = await freshDatabase(server, 'jobs_torn');
    await expect(
      restoreInto(server, untouched, bytes.subarray(0, bytes.length - 1), { jobs: 3 }),
    ).rejects.toMatchObject({ code: 'archive-unreadable' });
    const left = await engine.measure(connectionTo(server, untouched.name), {}, plainCall());
    expect(left.items).toEqual([]);
    expect(await filesBelow(workDir)).toEqual([]);
  });

  test('takes single tables with all they need, and nothing else', async () => {
    await using source = await freshDatabase(server, 'items');
    await fillWithSample(server, source.name);
    const { bytes, content } = await dumped(engine, connectionTo(server, source.name), { hashContent: true });
    await using target = await freshDatabase(server, 'items_target');
    const items = [
      'public.customers',
      'public.measures',
      'Größe & "Ziel".Straße "Nr. 1"',
      'public.capitals',
      'shop.lines',
    ];
    const outcome = await restoreInto(server, target, bytes, { items });
    expect(outcome.items).toEqual([
      'Größe & "Ziel".Straße "Nr. 1"',
      'public.capitals',
      'public.customers',
      'public.measures_2025',
      'public.measures_2026',
      'public.measures_other',
      'shop.lines',
    ]);
    expect(outcome.emptyItems).toEqual(['public.cities']);
    expect(outcome.notes.join('\n')).toMatch(/foreign key lines .* public\.orders was not chosen/);
    const found = await engine.measure(
      connectionTo(server, target.name),
      { hashContent: true, excludeTables: outcome.emptyItems },
      plainCall(),
    );
    const wanted = content.items.filter(({ name }) => outcome.items?.includes(name));
    expect(found.items.map(({ name, rows, contentHash }) => ({ name, rows, contentHash }))).toEqual(
      wanted.map(({ name, rows, contentHash }) => ({ name, rows, contentHash })),
    );
    const parts = await sql<{ what: string }>(
      server,
      target.name,
      `SELECT indexrelid::regclass::text AS what FROM pg_index WHERE indrelid = 'customers'::regclass
       UNION ALL SELECT tgname FROM pg_trigger WHERE tgrelid = 'customers'::regclass AND NOT tgisinternal
       UNION ALL SELECT pg_get_serial_sequence('customers', 'id') || ' ' || (SELECT last_value FROM customers_id_seq)
       UNION ALL SELECT partstrat::text FROM pg_partitioned_table ORDER BY 1`,
    );
    expect(parts.map(({ what }) => what)).toEqual([
      'customers_email_key',
      'customers_lower',
      'customers_name_trgm',
      'customers_pkey',
      'public.customers_id_seq 500',
      'r',
      'touch',
    ]);
  });

  test('refuses unknown tables before anything is touched', async () => {
    await using source = await freshDatabase(server, 'items');
    await sql(server, source.name, 'CREATE TABLE t (a int)');
    const { bytes } = await dumped(engine, connectionTo(server, source.name));
    await using target = await freshDatabase(server, 'items_target');
    await expect(
      restoreInto(server, target, bytes, { items: ['public.t', 'public.T'] }),
    ).rejects.toMatchObject({
      code: 'tables-unknown',
      facts: { unknown: ['public.T'] },
    });
    expect((await engine.measure(connectionTo(server, target.name), {}, plainCall())).items).toEqual([]);
  });

  test('leaves out owners and rights of roles that are gone, and says so', async () => {
    await using source = await freshDatabase(server, 'owners');
    await using staying = await freshRole(server);
    let bytes: Buffer;
    {
      await using leaving = await freshRole(server);
      const [gone, here] = [leaving.name, staying.name].map((name) => `"${name.replaceAll('"', '""')}"`);
      await sql(
        server,
        source.name,
        `CREATE TABLE t (a int); ALTER TABLE t OWNER TO ${here}; GRANT SELECT ON t TO ${gone};
         CREATE TABLE u (a int); GRANT INSERT ON u TO ${here}`,
      );
      ({ bytes } = await dumped(engine, connectionTo(server, source.name)));
      await using all = await freshDatabase(server, 'owners_all');
      const outcome = await restoreInto(server, all, bytes);
      expect(outcome.notes).toEqual([]);
      expect(await ownersAndRights(all.name)).toEqual({ owner: staying.name, select: true, insert: true });
      await sql(server, source.name, `REVOKE ALL ON t FROM ${gone}`);
      await all.drop();
      // The archive still names the role that is dropped at the end of this block.
    }
    await using target = await freshDatabase(server, 'owners_target');
    const outcome = await restoreInto(server, target, bytes);
    expect(outcome.notes).toHaveLength(1);
    expect(outcome.notes[0]).toMatch(/^rights on TABLE t are left out: the server has no role/);
    expect(await ownersAndRights(target.name)).toEqual({ owner: staying.name, select: false, insert: true });
    await sql(server, source.name, 'DROP TABLE t, u');
    await target.drop();

    async function ownersAndRights(name: string): Promise<unknown> {
      const [row] = await sql(
        server,
        name,
        `SELECT pg_get_userbyid(relowner) AS owner, cardinality(relacl) > 1 AS select,
                has_table_privilege($1, 'u', 'INSERT') AS insert FROM pg_class WHERE oid = 't'::regclass`,
        [staying.name],
      );
      return { ...row, select: row?.['select'] ?? false };
    }
  });

  test('works for an owner who is no superuser', async () => {
    await using source = await freshDatabase(server, 'plain_user');
    await sql(
      server,
      source.name,
      `CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE TABLE t (a hstore); INSERT INTO t VALUES ('a=>1')`,
    );
    const { bytes, content } = await dumped(engine, connectionTo(server, source.name));
    await using role = await freshRole(server);
    await using target = await freshDatabase(server, 'plain_user_target');
    const name = `"${role.name.replaceAll('"', '""')}"`;
    await sql(server, 'postgres', `ALTER DATABASE "${target.name}" OWNER TO ${name}`);
    const connection = { ...connectionTo(server, target.name), username: role.name, password: role.password };
    const outcome = await engine.restore(
      connection,
      piecesOf(bytes),
      { format: 'custom', workDir },
      plainCall(),
    );
    expect(outcome.notes.join('\n')).toContain('no member of "backstop"');
    const found = await engine.measure(connection, {}, plainCall());
    expect(comparable(found)).toEqual(comparable(content));
    await target.drop();
  });

  test('refuses an archive whose extensions the server does not have', async () => {
    await using source = await freshDatabase(server, 'extension');
    await sql(server, source.name, 'CREATE EXTENSION hstore');
    const { bytes } = await dumped(engine, connectionTo(server, source.name));
    const forged = Buffer.from(bytes.toString('latin1').replaceAll('hstore', 'hXtore'), 'latin1');
    await using target = await freshDatabase(server, 'extension_target');
    await expect(restoreInto(server, target, forged)).rejects.toMatchObject({
      code: 'extensions-missing',
      facts: { extensions: ['hXtore'] },
    });
  });
});

describe('between versions', () => {
  const newest = newestPostgresServer();
  const oldest = postgresServers()[0] ?? newest;

  test('a dump of an older server goes to a newer one', async () => {
    await using source = await freshDatabase(oldest, 'upgrade');
    await fillWithSample(oldest, source.name);
    const { bytes, content } = await dumped(engine, connectionTo(oldest, source.name), { hashContent: true });
    await using target = await freshDatabase(newest, 'upgrade_target');
    await restoreInto(newest, target, bytes);
    const found = await engine.measure(connectionTo(newest, target.name), { hashContent: true }, plainCall());
    expect(found.items.map(({ bytes: _bytes, ...item }) => item)).toEqual(
      content.items.map(({ bytes: _bytes, ...item }) => item),
    );
    expect(found.counters).toEqual(content.counters);
    expect(found.schema.objects).toEqual(content.schema.objects);
    expect(found.schema.comparableWith).not.toBe(content.schema.comparableWith);
  });

  test('a dump of a newer server is refused by an older one, before anything is touched', async () => {
    await using source = await freshDatabase(newest, 'downgrade');
    await sql(newest, source.name, 'CREATE TABLE t (a int)');
    await using target = await freshDatabase(oldest, 'downgrade_target');
    for (const format of ['custom', 'plain'] as const) {
      const { bytes } = await dumped(engine, connectionTo(newest, source.name), { format });
      await expect(restoreInto(oldest, target, bytes, { format })).rejects.toMatchObject({
        code: 'server-too-old',
      });
    }
    expect((await engine.measure(connectionTo(oldest, target.name), {}, plainCall())).items).toEqual([]);
  });

  test.each(['custom', 'plain'] as const)(
    'newer tools than the server: the one known error is tolerated and told (%s)',
    async (format) => {
      const server = postgresServer(15);
      const onlyNew = postgresEngine(
        server.clientBinDirs.filter((folder) => folder.includes('/18/')),
        workDir,
      );
      await using source = await freshDatabase(server, 'newer_tool');
      await fillWithSample(server, source.name);
      const { bytes, content } = await dumped(onlyNew, connectionTo(server, source.name), { format });
      await using target = await freshDatabase(server, 'newer_tool_target');
      const connection = connectionTo(server, target.name);
      const outcome = await onlyNew.restore(connection, piecesOf(bytes), { format, workDir }, plainCall());
      expect(outcome.tool.version).toMatch(/^18/);
      if (format === 'custom') expect(outcome.notes.join()).toContain('transaction_timeout');
      expect(comparable(await onlyNew.measure(connection, {}, plainCall()))).toEqual(comparable(content));
      // A second time every statement fails: none of those errors is tolerated.
      await expect(
        onlyNew.restore(connection, piecesOf(bytes), { format, workDir }, plainCall()),
      ).rejects.toMatchObject({ code: 'restore-failed' });
    },
  );
});
