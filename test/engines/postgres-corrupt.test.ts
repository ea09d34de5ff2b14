import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dumped, plainCall } from '../contracts/engine-under-test.ts';
import { freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-corrupt-'));
});
afterAll(() => rm(workDir, { recursive: true }));

test('a database whose own files are damaged is not taken for a damaged archive', async () => {
  const server = newestPostgresServer();
  await using source = await freshDatabase(server, 'healthy');
  await sql(server, source.name, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS n; CHECKPOINT');
  const [file] = await sql<{ path: string }>(server, source.name, `SELECT pg_relation_filepath('t') AS path`);
  // The file of the first is written over while its pages are in the server's memory; the copy is made of the files.
  await sql(
    server,
    'postgres',
    `COPY (SELECT 1) TO PROGRAM $$cat > /dev/null; printf '%0256d' 0 | dd of=${file?.path} bs=1 conv=notrunc 2> /dev/null$$`,
  );
  const copy = `${source.name}_copy`;
  await sql(server, 'postgres', `CREATE DATABASE "${copy}" TEMPLATE "${source.name}" STRATEGY file_copy`);
  try {
    const engine = postgresEngine(server.clientBinDirs, workDir);
    const expected = { code: 'database-corrupt', retryable: false };
    await expect(dumped(engine, connectionTo(server, copy), {})).rejects.toMatchObject(expected);
    await expect(engine.measure(connectionTo(server, copy), {}, plainCall())).rejects.toMatchObject(expected);
  } finally {
    await sql(server, 'postgres', `DROP DATABASE "${copy}"`);
  }
});
