import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import { fillWithSample } from '../support/sample-postgres.ts';
import { until } from '../support/until.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
let engine: PostgresEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-plain-'));
  engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
});
afterAll(() => rm(workDir, { recursive: true, force: true }));

describe.each(postgresServers())('a plain dump and PostgreSQL $major', (server) => {
  test('is committed after its last line, also when psql has run all lines before that', async () => {
    await using source = await freshDatabase(server, 'plain');
    await fillWithSample(server, source.name);
    const { bytes } = await dumped(engine, connectionTo(server, source.name), { format: 'plain' });
    await using target = await freshDatabase(server, 'plain_target');
    const input = new PassThrough();
    const restoring = engine.restore(
      connectionTo(server, target.name),
      input,
      { format: 'plain', workDir },
      plainCall(),
    );
    restoring.catch(() => undefined);
    const all = bytes.subarray(0, bytes.length - 20);
    for await (const piece of piecesOf(all))
      if (!input.write(piece)) await new Promise((go) => input.once('drain', go));
    await until('psql to wait for more, with everything done', () => isWaiting(target.name));
    input.end();
    await expect(restoring).rejects.toMatchObject({ code: 'archive-unreadable' });
    const [left] = await sql<{ n: number }>(
      server,
      target.name,
      `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace)::int
            + (SELECT count(*) FROM pg_largeobject_metadata)::int AS n`,
    );
    expect(left?.n).toBe(0);

    async function isWaiting(name: string): Promise<boolean> {
      const rows = await sql<{ query: string }>(
        server,
        'postgres',
        `SELECT query FROM pg_stat_activity WHERE datname = $1 AND state = 'idle in transaction' AND now() - state_change > '0.5 s'`,
        [name],
      );
      return rows.length > 0;
    }
  });
});

describe('a plain dump', () => {
  test('of public alone is restored, although public is there already', async () => {
    const server = newestPostgresServer();
    await using source = await freshDatabase(server, 'plain');
    await sql(
      server,
      source.name,
      'CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE SCHEMA other; CREATE TABLE other.u (a int)',
    );
    const scope = { format: 'plain' as const, schemas: ['public'] };
    const { bytes, content } = await dumped(engine, connectionTo(server, source.name), scope);
    expect(content.items.map(({ name }) => name)).toEqual(['public.t']);
    await using target = await freshDatabase(server, 'plain_target');
    await engine.restore(
      connectionTo(server, target.name),
      piecesOf(bytes),
      { format: 'plain', workDir },
      plainCall(),
    );
    expect(await sql(server, target.name, 'SELECT a FROM t')).toEqual([{ a: 1 }]);
  });

  test('cannot run programs on this machine', async () => {
    const server = newestPostgresServer();
    await using source = await freshDatabase(server, 'plain');
    const { bytes } = await dumped(engine, connectionTo(server, source.name), { format: 'plain' });
    const marker = join(workDir, 'marker');
    const forged = bytes
      .toString('latin1')
      .replace('\n--\n-- PostgreSQL database dump complete', `\n\\! touch ${marker}\n$&`);
    await using target = await freshDatabase(server, 'plain_target');
    const restoring = engine.restore(
      connectionTo(server, target.name),
      piecesOf(Buffer.from(forged, 'latin1')),
      { format: 'plain', workDir },
      plainCall(),
    );
    await expect(restoring).rejects.toMatchObject({ code: 'restore-failed' });
    await expect(rm(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('cannot be restored in parts', async () => {
    const server = newestPostgresServer();
    const choice = { format: 'plain' as const, items: ['public.t'], workDir };
    const bytes = piecesOf(Buffer.from('--\n'));
    await expect(
      engine.restore(connectionTo(server, 'postgres'), bytes, choice, plainCall()),
    ).rejects.toMatchObject({ code: 'format-unsupported' });
    expect(bytes.destroyed).toBe(true);
  });
});
