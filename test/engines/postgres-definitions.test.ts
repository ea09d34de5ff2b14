import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { ContentFacts } from '../../src/engines/content-facts.ts';
import type { Dump } from '../../src/engines/engine.ts';
import { piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import { until } from '../support/until.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';
import { waitingPgDump } from './waiting-pg-dump.ts';

let workDir: string;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-definitions-'));
});
afterAll(() => rm(workDir, { recursive: true }));

/** A function whose text the server keeps as it is, and one that it prints anew; enough rows that a dump is not over at once. */
const functionOf = (n: number): string =>
  `CREATE OR REPLACE FUNCTION public.answer() RETURNS int LANGUAGE sql AS 'SELECT ${n}';`;
const version = (n: number): string => `
  ${functionOf(n)}
  CREATE OR REPLACE VIEW public.answers AS SELECT ${n} AS answer;`;
const ROWS = `CREATE TABLE public.bulk AS SELECT i, repeat(md5(i::text), 30) AS body FROM generate_series(1, 20000) i;`;

async function gather(dump: Dump, first: readonly Buffer[] = []): Promise<[Buffer, ContentFacts]> {
  const rest = (await dump.bytes.toArray()) as Buffer[];
  return [Buffer.concat([...first, ...rest]), await dump.content];
}

async function restoredFacts(server: PostgresServer, bytes: Buffer): Promise<ContentFacts> {
  const engine = postgresEngine(newestPostgresServer().clientBinDirs, workDir);
  await using copy = await freshDatabase(server, 'definitions_copy');
  const connection = connectionTo(server, copy.name);
  await engine.restore(connection, piecesOf(bytes), { format: 'custom', workDir }, plainCall());
  return await engine.measure(connection, {}, plainCall());
}

/** Definitions are printed as they are, whatever the snapshot, by the server's functions, and so by its tools. */
describe.each(postgresServers())('PostgreSQL $major: definitions that change during a dump', (server) => {
  test('after the tool has read them are those of the dump', async () => {
    await using source = await freshDatabase(server, 'definitions');
    await sql(server, source.name, ROWS + version(1));
    const engine = postgresEngine(server.clientBinDirs, workDir);
    const dump = await engine.dump(connectionTo(server, source.name), {}, plainCall());
    const chunks = dump.bytes[Symbol.asyncIterator]();
    const first = (await chunks.next()).value as Buffer;
    await until('the rows to be counted', async () => {
      const counting = await sql(
        server,
        'postgres',
        `SELECT FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'SELECT count(*)%'`,
        [source.name],
      );
      return counting.length > 0;
    });
    // Up to PostgreSQL 15 a view that was read stays locked against this until the dump is done.
    await sql(server, source.name, server.major > 15 ? version(2) : functionOf(2));
    const [bytes, content] = await gather(dump, [first]);
    const found = await restoredFacts(server, bytes);
    expect(content.schema.comparableWith).toBe(found.schema.comparableWith);
    expect(found.schema).toEqual(content.schema);
  });

  test('before it has are compared with nothing', async () => {
    await using source = await freshDatabase(server, 'definitions');
    await sql(server, source.name, ROWS + version(1));
    await using tool = await waitingPgDump(server);
    const opening = postgresEngine([tool.folder], workDir).dump(
      connectionTo(server, source.name),
      {},
      plainCall(),
    );
    await tool.started();
    await sql(server, source.name, version(2));
    await tool.go();
    const [bytes, content] = await gather(await opening);
    expect(content.schema.comparableWith).toBe('unsettled');
    expect((await restoredFacts(server, bytes)).items).toMatchObject([{ name: 'public.bulk', rows: 20_000 }]);
  });
});
