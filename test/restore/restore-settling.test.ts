import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';

import type { RestoreResult } from '../../src/restore/restore-result.js';
import type { Restore } from '../../src/restore/restore.entity.js';
import {
  connect,
  freshDatabase,
  type FreshDatabase,
  postgresServers,
  sql,
} from '../support/postgres-servers.ts';
import { countRows, databasesLike, dropDatabasesLike } from '../support/restores.ts';
import { connectionTo, type RestoreBench, restoreBench } from './restore-bench.ts';

const result: RestoreResult = {
  restoreMs: 5,
  compared: { items: 1, rows: 1, hashes: 0, schema: true, expired: 0 },
  verified: true,
  notes: [],
};
const unwatched = { signal: new AbortController().signal };

describe.each(postgresServers())('what a dead worker left on PostgreSQL $major', (server) => {
  let bench: RestoreBench;
  let live: FreshDatabase;
  let fresh: string;
  let kept: string;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    bench = await restoreBench(server);
  });
  afterAll(async () => bench?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    live = await freshDatabase(server, 'Live "settled"');
    [fresh, kept] = [`${live.name}_restoring_1`, `${live.name}_before_restore_1`];
    await fill(live.name, 'old');
  });
  afterEach(async () => dropDatabasesLike(server, live.name));

  /** Makes a database that says what it is. */
  async function make(name: string, content: 'old' | 'new' | 'foreign'): Promise<void> {
    await sql(server, 'postgres', `CREATE DATABASE "${name.replaceAll('"', '""')}"`);
    await fill(name, content);
  }
  async function fill(name: string, content: string): Promise<void> {
    await sql(server, name, `CREATE TABLE "${content}" (id int); INSERT INTO "${content}" VALUES (1)`);
  }
  async function expectContent(name: string, content: string): Promise<void> {
    expect(await countRows(server, name, `"${content}"`)).toBe(1);
  }
  /** As the next worker does: takes the restore over, and settles what it finds. */
  async function settled(left: Restore): Promise<Restore> {
    await bench.settler.fence(left);
    await bench.settler.settle(left);
    const row = await bench.row(left.id);
    expect(left).toMatchObject({ stage: row.stage, freshName: row.freshName, keptAs: row.keptAs });
    return row;
  }
  const swap = (): Promise<void> =>
    bench.engine.databases.swap(
      connectionTo(server),
      { live: live.name, fresh, keepAs: kept },
      { endSessions: false },
      unwatched,
    );

  test('loading: drops what it was making, sessions in it included', async () => {
    await make(fresh, 'new');
    const client = await connect(server, fresh);
    const ended = new Promise<void>((resolve) => {
      client.on('end', resolve);
    });
    const row = await settled(await bench.left({ freshName: fresh }));
    await ended;
    expect(row).toMatchObject({ status: 'queued', stage: 'nothing', freshName: null });
    expect(await databasesLike(server, live.name)).toEqual([live.name]);
  });

  test('loading, and nothing made yet', async () => {
    expect(await settled(await bench.left({ freshName: fresh }))).toMatchObject({ stage: 'nothing' });
  });

  const replacing = (): Partial<Restore> => ({
    mode: 'replace',
    stage: 'placing',
    targetDatabaseName: live.name,
    freshName: fresh,
    keptAs: kept,
    result,
  });

  test('swapping announced and not done: drops the copy, and leaves the live one', async () => {
    await make(fresh, 'new');
    const row = await settled(await bench.left(replacing()));
    expect(row).toMatchObject({ stage: 'nothing', freshName: null, keptAs: null });
    expect(await databasesLike(server, live.name)).toEqual([live.name]);
    await expectContent(live.name, 'old');
  });

  test('swapped, and the row does not say so: it is done, and touches nothing', async () => {
    await make(fresh, 'new');
    const left = await bench.left(replacing());
    await swap();
    expect(await settled(left)).toMatchObject({ stage: 'placed', freshName: null, keptAs: kept, result });
    expect(await databasesLike(server, live.name)).toEqual([live.name, kept]);
    await expectContent(live.name, 'new');
    await expectContent(kept, 'old');
  });

  test('settling twice is settling once', async () => {
    await make(fresh, 'new');
    const left = await bench.left(replacing());
    await swap();
    await bench.settler.fence(left);
    await bench.settler.settle(left);
    await bench.settler.settle(await bench.row(left.id));
    await expectContent(live.name, 'new');
    await expectContent(kept, 'old');
  });

  const naming = (): Partial<Restore> => ({
    stage: 'placing',
    targetDatabaseName: `${live.name} wanted`,
    freshName: fresh,
    result,
  });

  test('naming announced and not done: drops the copy', async () => {
    await make(fresh, 'new');
    expect(await settled(await bench.left(naming()))).toMatchObject({ stage: 'nothing' });
    expect(await databasesLike(server, live.name)).toEqual([live.name]);
  });

  test('named, and the row does not say so: it is done', async () => {
    await make(`${live.name} wanted`, 'new');
    expect(await settled(await bench.left(naming()))).toMatchObject({ stage: 'placed', freshName: null });
    await expectContent(`${live.name} wanted`, 'new');
  });

  test("a name that somebody else took meanwhile is not ours, and is somebody else's", async () => {
    await make(fresh, 'new');
    await make(`${live.name} wanted`, 'foreign');
    expect(await settled(await bench.left(naming()))).toMatchObject({ stage: 'nothing' });
    expect(await databasesLike(server, live.name)).toEqual([live.name, `${live.name} wanted`]);
    await expectContent(`${live.name} wanted`, 'foreign');
  });

  test('a server that does not answer decides nothing', async () => {
    const away = { ...connectionTo(server), host: '127.0.0.1', port: 1 };
    const left = await bench.left(replacing(), away);
    await bench.settler.fence(left);
    await expect(bench.settler.settle(left)).rejects.toMatchObject({ code: 'server-unreachable' });
    expect(await bench.row(left.id)).toMatchObject({ stage: 'placing', freshName: fresh, keptAs: kept });
  });

  test('a worker that was given up can announce nothing more', async () => {
    await make(fresh, 'new');
    const left = await bench.left({ mode: 'replace', targetDatabaseName: live.name, freshName: fresh });
    const zombie = await bench.row(left.id);
    await settled(left);
    await expect(bench.placer.place(zombie, result, true)).rejects.toMatchObject({
      code: 'restore-not-in-state',
    });
    expect(await databasesLike(server, live.name)).toEqual([live.name]);
    await expectContent(live.name, 'old');
  });

  test('a cancel request that comes before the names change wins', async () => {
    await make(fresh, 'new');
    const left = await bench.left({
      mode: 'replace',
      targetDatabaseName: live.name,
      freshName: fresh,
      cancelRequested: true,
    });
    await expect(bench.placer.place(left, result, true)).rejects.toMatchObject({ code: 'restore-cancelled' });
    await expectContent(live.name, 'old');
  });

  test('placing swaps, keeps the old one, and says so in the row', async () => {
    await make(fresh, 'new');
    const left = await bench.left({ mode: 'replace', targetDatabaseName: live.name, freshName: fresh });
    await bench.placer.place(left, result, true);
    const row = await bench.row(left.id);
    expect(row).toMatchObject({ stage: 'placed', freshName: null, result });
    await expectContent(live.name, 'new');
    await expectContent(row.keptAs ?? '', 'old');
  });

  test('placing finds another name for the old one when the usual is taken', async () => {
    await make(fresh, 'new');
    const first = await bench.left({ mode: 'replace', targetDatabaseName: live.name, freshName: fresh });
    await bench.placer.place(first, result, true);
    await make(`${fresh}_2`, 'foreign');
    const second = await bench.left({
      mode: 'replace',
      targetDatabaseName: live.name,
      freshName: `${fresh}_2`,
    });
    await bench.placer.place(second, result, true);
    expect(second.keptAs).not.toBe(first.keptAs);
    await expectContent(first.keptAs ?? '', 'old');
    await expectContent(second.keptAs ?? '', 'new');
    await expectContent(live.name, 'foreign');
  });

  test('a live database that vanished while its backup was loaded is put back by its name', async () => {
    await make(fresh, 'new');
    await live.drop();
    const left = await bench.left({ mode: 'replace', targetDatabaseName: live.name, freshName: fresh });
    await bench.placer.place(left, result, true);
    expect(await bench.row(left.id)).toMatchObject({ stage: 'placed', keptAs: null });
    await expectContent(live.name, 'new');
  });

  test('a live database that appeared while its backup was loaded is not replaced', async () => {
    await make(fresh, 'new');
    const left = await bench.left({ mode: 'replace', targetDatabaseName: live.name, freshName: fresh });
    await expect(bench.placer.place(left, result, false)).rejects.toMatchObject({
      code: 'target-database-exists',
    });
    await bench.settler.settle(left);
    expect(left.stage).toBe('nothing');
    expect(await databasesLike(server, live.name)).toEqual([live.name]);
    await expectContent(live.name, 'old');
  });
});
