import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { ContentFacts } from '../../src/engines/content-facts.ts';
import { EngineError } from '../../src/engines/engines.errors.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { comparable, dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { connectionToMongo, mongoEngine } from '../engines/mongo-under-test.ts';
import {
  type FreshMongoDatabase,
  freshMongoDatabase,
  mongoServers,
  newestMongoServer,
} from '../support/mongo-servers.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { often, randoms, SEED } from './intensity.ts';

const RUNS = often(40, 500);

describe.runIf(mongoServers().length > 0)('connections to MongoDB that break at random moments', () => {
  let folder: string;
  let engine: MongoEngine;
  let proxy: TcpProxy;
  let source: FreshMongoDatabase;
  let whole: Awaited<ReturnType<typeof dumped>>;
  const to = (name: string): ReturnType<typeof connectionToMongo> =>
    connectionToMongo({ ...newestMongoServer(), ...proxy.address }, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-faults-'));
    engine = mongoEngine(folder);
    proxy = await startProxy(newestMongoServer());
    source = await freshMongoDatabase(newestMongoServer(), 'cuts');
    for (const name of ['a', 'b', 'c']) {
      const documents = Array.from({ length: 4000 }, (_, n) => ({ n, body: 'x'.repeat(500) }));
      await source.db.collection(name).insertMany(documents);
      await source.db.collection(name).createIndex({ n: 1 });
    }
    whole = await dumped(engine, to(source.name), { hashContent: true });
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await source?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function contentOfDump(): Promise<ContentFacts> {
    const dump = await engine.dump(to(source.name), { hashContent: true }, plainCall());
    dump.bytes.resume();
    await finished(dump.bytes);
    return await dump.content;
  }

  test(`a dump fails with a word for it, or is the whole (${RUNS} times, seed ${SEED})`, async () => {
    const random = randoms(SEED);
    const seen = { whole: 0, failed: 0 };
    for (let run = 0; run < RUNS; run += 1) {
      // Some of the moments lie behind the end of the dump.
      proxy.breakAfter(random(Math.ceil(whole.bytes.length * 1.2)));
      const outcome = await contentOfDump().catch((error: unknown) => error);
      proxy.breakAfter(Number.POSITIVE_INFINITY);
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(EngineError);
        expect(outcome).toMatchObject({ retryable: true });
        seen.failed += 1;
      } else {
        expect(outcome).toEqual(whole.content);
        seen.whole += 1;
      }
    }
    expect(seen.failed).toBeGreaterThan(RUNS / 4);
  });

  test(`a restore fails, or has restored everything (${often(10, 100)} times, seed ${SEED})`, async () => {
    const random = randoms(SEED + 1);
    let failed = 0;
    for (let run = 0; run < often(10, 100); run += 1) {
      await using target = await freshMongoDatabase(newestMongoServer(), 'cuts_to');
      proxy.breakAfter(random(6000));
      const choice = { format: 'archive', workDir: folder } as const;
      const outcome = await engine
        .restore(to(target.name), piecesOf(whole.bytes), choice, plainCall())
        .catch((error: unknown) => error);
      proxy.breakAfter(Number.POSITIVE_INFINITY);
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(EngineError);
        failed += 1;
        continue;
      }
      const found = await engine.measure(to(target.name), { hashContent: true }, plainCall());
      expect(comparable(found)).toEqual(comparable(whole.content));
    }
    expect(failed).toBeGreaterThan(0);
  });
});
