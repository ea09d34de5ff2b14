import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { SystemClock } from '../../src/clock/system-clock.ts';
import { MongoCall } from '../../src/engines/mongo/mongo-call.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { whileServerWorks } from '../../src/engines/mongo/server-life.ts';
import { plainCall } from '../contracts/engine-under-test.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { type FreshMongoDatabase, freshMongoDatabase, mongoServers } from '../support/mongo-servers.ts';
import { startProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));

/** Enough for a server to be at an index for a while. */
const DOCUMENTS = 200_000;

describe.each(servers)('signs of life from $title', ({ server }) => {
  let folder: string;
  let engine: MongoEngine;
  let database: FreshMongoDatabase;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
    engine = mongoEngine(folder);
    database = await freshMongoDatabase(server, 'life');
    for (let at = 0; at < DOCUMENTS; at += 20_000) {
      const documents = Array.from({ length: 20_000 }, (_, n) => ({ n: at + n, key: `${n * n}` }));
      await database.db.collection('a').insertMany(documents, { ordered: false });
    }
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('come while it builds an index, and nothing else is heard of it', async () => {
    let signs = 0;
    const life = { everyMs: 1, tell: () => (signs += 1) };
    const surroundings = { clock: new SystemClock(), workDir: folder };
    const connection = connectionToMongo(server, database.name);
    await using call = new MongoCall(connection, { ...plainCall(), life }, surroundings);
    const session = await call.session();
    const building = session.db().collection('a').createIndex({ key: 1, n: -1 });
    await whileServerWorks(call, building);
    expect(signs).toBeGreaterThan(0);
  });

  test('do not come when it is silent, and an abort ends the waiting', async () => {
    await using proxy = await startProxy(server);
    let signs = 0;
    const life = { everyMs: 1, tell: () => (signs += 1) };
    const giveUp = new AbortController();
    const reason = new Error('it shows no life');
    const connection = connectionToMongo({ ...server, ...proxy.address }, database.name);
    const measuring = engine.measure(
      connection,
      { hashContent: true },
      { ...plainCall(giveUp.signal), life },
    );
    measuring.catch(() => undefined);
    await until('it to read documents', () => proxy.received > 500_000);
    proxy.blackHole();
    // What was on its way already, within this process and its sockets, may still be counted.
    let before = signs;
    let looksInSilence = 0;
    await until('silence', () => {
      looksInSilence = signs === before ? looksInSilence + 1 : 0;
      before = signs;
      return looksInSilence === 10;
    });
    giveUp.abort(reason);
    const began = performance.now();
    await expect(measuring).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(signs).toBe(before);
  });
});
