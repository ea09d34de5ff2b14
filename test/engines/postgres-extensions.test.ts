import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Connection } from '../../src/engines/engine.ts';
import { comparable, dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-extensions-'));
});
afterAll(() => rm(workDir, { recursive: true }));

const CONTROL = String.raw`default_version = '1.0'\nrelocatable = false\nschema = public\n`;
const SCRIPT = `
  CREATE TABLE public.kept_settings (id serial, name text);
  CREATE SEQUENCE public.kept_sequence;
  SELECT pg_extension_config_dump('public.kept_settings', '');
  SELECT pg_extension_config_dump('public.kept_settings_id_seq', '');
  SELECT pg_extension_config_dump('public.kept_sequence', '');`;

/**
 * Puts an extension whose rows and sequences are dumped into a folder of the server, and gives a user who finds it there.
 * A server knows more than one folder since PostgreSQL 18.
 */
async function withExtension(
  server: PostgresServer,
): Promise<AsyncDisposable & { name: string; as(database: string): Connection }> {
  const name = `kept_${randomBytes(6).toString('hex')}`;
  const folder = `/tmp/${name}`;
  const write = (file: string, content: string): string =>
    `COPY (SELECT 1) TO PROGRAM $$cat > /dev/null && mkdir -p ${folder}/extension && printf '%b' "${content}" > ${folder}/extension/${file}$$;`;
  const script = SCRIPT.replaceAll('\n', ' ');
  await sql(
    server,
    'postgres',
    `${write(`${name}.control`, CONTROL)} ${write(`${name}--1.0.sql`, script)}
     CREATE ROLE ${name} SUPERUSER LOGIN PASSWORD 'not-a-secret';
     ALTER ROLE ${name} SET extension_control_path = '${folder}:$system';`,
  );
  return {
    name,
    as: (database) => ({ ...connectionTo(server, database), username: name, password: 'not-a-secret' }),
    [Symbol.asyncDispose]: async () => {
      await sql(
        server,
        'postgres',
        `DROP ROLE ${name}; COPY (SELECT 1) TO PROGRAM $$cat > /dev/null && rm -r ${folder}$$`,
      );
    },
  };
}

describe.each(postgresServers())('PostgreSQL $major: an extension whose sequences are dumped', (server) => {
  test.for(['custom', 'plain'] as const)('restores equal from a %s dump', async (format, context) => {
    context.skip(server.major < 18, 'this server looks for extensions in one folder only');
    const engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
    await using extension = await withExtension(server);
    await using source = await freshDatabase(server, 'extended');
    await using target = await freshDatabase(server, 'extended_copy');
    await sql(
      { ...server, username: extension.name, password: 'not-a-secret' },
      source.name,
      `CREATE EXTENSION ${extension.name};
       INSERT INTO kept_settings (name) VALUES ('one'), ('two');
       SELECT setval('kept_sequence', 41);
       CREATE TABLE own (id serial); INSERT INTO own DEFAULT VALUES;`,
    );
    const { bytes, content } = await dumped(engine, extension.as(source.name), { format });
    const connection = extension.as(target.name);
    await engine.restore(connection, piecesOf(bytes), { format, workDir }, plainCall());
    expect(comparable(await engine.measure(connection, {}, plainCall()))).toEqual(comparable(content));
    const [row] = await sql<{ n: string }>(server, target.name, 'SELECT last_value AS n FROM kept_sequence');
    expect(row?.n).toBe('41');
  });
});
