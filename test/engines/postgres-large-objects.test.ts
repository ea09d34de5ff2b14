import { describe, expect, test } from 'vitest';

import { compareContent } from '../../src/engines/content-comparison.ts';
import type { ContentFacts } from '../../src/engines/content-facts.ts';
import { dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { freshDatabase, postgresServers, sql } from '../support/postgres-servers.ts';
import { withWorkDir } from '../support/work-dir.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

/** Nothing, less and more than the pieces in which they are read, just as much as one, and one with a hole. */
const OBJECTS = `
  SELECT lo_from_bytea(10, ''), lo_from_bytea(11, 'short'), lo_from_bytea(12, decode(repeat('00ff5c', 1048576), 'hex')),
         lo_from_bytea(13, decode(repeat('ab', 1048576), 'hex'));
  SELECT lo_put(lo_create(14), 2500000, 'behind a hole');`;

describe.each(postgresServers())('PostgreSQL $major: the content of large objects', (server) => {
  const engine = (workDir: string) => postgresEngine(server.clientBinDirs, workDir);
  const measured = (workDir: string, name: string, hashContent: boolean): Promise<ContentFacts> =>
    engine(workDir).measure(connectionTo(server, name), { hashContent }, plainCall());

  test('comes back, and one other byte in one of them is a difference', async () => {
    await using work = await withWorkDir();
    await using from = await freshDatabase(server, 'objects');
    await using to = await freshDatabase(server, 'objects_copy');
    await sql(server, from.name, OBJECTS);
    const dump = await dumped(engine(work.dir), connectionTo(server, from.name), { hashContent: true });
    const choice = { format: dump.format, workDir: work.dir };
    await engine(work.dir).restore(connectionTo(server, to.name), piecesOf(dump.bytes), choice, plainCall());
    const copy = await measured(work.dir, to.name, true);
    expect(compareContent(dump.content, copy).differences).toEqual([]);

    await sql(server, to.name, `SELECT lo_put(12, 2000000, '!')`);
    const changed = await measured(work.dir, to.name, true);
    expect(compareContent(dump.content, changed).differences).toMatchObject([
      { kind: 'counter', name: 'large_object_content' },
    ]);
  });

  test('is read of every object, also when there are more than one statement reads', async () => {
    await using work = await withWorkDir();
    await using database = await freshDatabase(server, 'many_objects');
    await sql(server, database.name, `SELECT lo_from_bytea(i, 'x') FROM generate_series(1, 1200) AS i`);
    const counters = [(await measured(work.dir, database.name, true)).counters];
    for (const id of [2, 99, 501, 999, 1200]) {
      await sql(server, database.name, `SELECT lo_put(${id}, 0, 'y')`);
      counters.push((await measured(work.dir, database.name, true)).counters);
    }
    expect(new Set(counters.map((each) => each['large_object_content'])).size).toBe(6);
  });

  test('is that of the object with that number: two that changed places are a difference', async () => {
    await using work = await withWorkDir();
    await using one = await freshDatabase(server, 'objects');
    await using other = await freshDatabase(server, 'objects');
    await sql(server, one.name, `SELECT lo_from_bytea(1, 'a'), lo_from_bytea(2, 'b')`);
    await sql(server, other.name, `SELECT lo_from_bytea(1, 'b'), lo_from_bytea(2, 'a')`);
    const [a, b] = [await measured(work.dir, one.name, true), await measured(work.dir, other.name, true)];
    expect(compareContent(a, b).differences).toHaveLength(1);
  });

  test('is read only when hashes are asked for', async () => {
    await using work = await withWorkDir();
    await using database = await freshDatabase(server, 'objects');
    await sql(server, database.name, `SELECT lo_from_bytea(1, 'a')`);
    const { counters } = await measured(work.dir, database.name, false);
    expect(counters).toEqual({ large_objects: 1, sequences: 0, sequence_positions: 0 });
  });
});
