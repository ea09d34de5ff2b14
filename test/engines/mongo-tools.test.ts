import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';

import type { Connection, Dump } from '../../src/engines/engine.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { comparable, dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { type MongoServer, mongoTitle } from '../support/mongo-server.ts';
import { type FreshMongoDatabase, freshMongoDatabase, mongoServers } from '../support/mongo-servers.ts';
import { findMongoTools } from '../support/mongo-tools.ts';
import { dropWordsIndex, fillWithSample, SAMPLE_DOCUMENTS } from '../support/sample-mongo.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const tools = await findMongoTools();
const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));

function needsTools(context: TestContext): void {
  context.skip(tools.missing !== undefined, tools.missing);
}

/** What only real servers of MongoDB have. */
async function fillWithKinds(db: Db): Promise<void> {
  await db.createCollection('capped', { capped: true, size: 100_000, max: 10 });
  await db.collection('capped').insertMany(Array.from({ length: 15 }, (_, n) => ({ n })));
  await db.createCollection('strict', { validator: { $jsonSchema: { required: ['a'] } } });
  await db
    .collection('strict')
    .insertOne({ b: 'older than the validator' }, { bypassDocumentValidation: true });
  await db.createCollection('weather', { timeseries: { timeField: 'at', metaField: 'place' } });
  await db.collection('weather').insertMany([
    { at: new Date(0), place: 1, degrees: 20 },
    { at: new Date(1), place: 2, degrees: 21 },
  ]);
  await db.createCollection('french', { collation: { locale: 'fr' } });
  await db.createCollection('a view', { viewOn: 'orders', pipeline: [{ $match: { note: 'a gift' } }] });
}

describe.each(servers)('the tools of MongoDB and what is built in, on $title', ({ server }) => {
  let folder: string;
  let builtIn: MongoEngine;
  let withTools: MongoEngine;
  let shop: FreshMongoDatabase;
  const to = (name: string): Connection => connectionToMongo(server, name);
  const choice = (more: object = {}) => ({ format: 'archive', workDir: folder, ...more }) as const;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
    builtIn = mongoEngine(folder);
    withTools = mongoEngine(folder, tools.folders);
    shop = await freshMongoDatabase(server, 'tools');
    await fillWithSample(shop.db);
    if (server.isFerretDb) await dropWordsIndex(shop.db);
    else await fillWithKinds(shop.db);
  });
  afterAll(async () => {
    await shop[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(['builtin', 'mongodump'] as const)('an archive of %s', (source) => {
    test.for(['builtin', 'mongorestore'] as const)(
      'is restored by %s: documents to the byte, indexes, options and views',
      async (restorer, context) => {
        if (source !== 'builtin' || restorer !== 'builtin') needsTools(context);
        const engine = restorer === 'builtin' ? builtIn : withTools;
        const dump = await dumped(withTools, to(shop.name), { tool: source, hashContent: true });
        const rows = Object.fromEntries(dump.content.items.map((item) => [item.name, item.rows]));
        expect(rows).toMatchObject(SAMPLE_DOCUMENTS);
        await using copy = await freshMongoDatabase(server, 'tools_copy');
        const outcome = await engine.restore(to(copy.name), piecesOf(dump.bytes), choice(), plainCall());
        expect(outcome.tool.name).toBe(restorer);
        const found = await engine.measure(to(copy.name), { hashContent: true }, plainCall());
        expect(comparable(found)).toEqual(comparable(dump.content));
      },
    );

    test('is restored in parts by mongorestore, whatever the names', async (context) => {
      needsTools(context);
      const { bytes } = await dumped(withTools, to(shop.name), { tool: source });
      const items = ['-leading dash', 'with.dots and "quotes"', 'ünï cødé 🛒'];
      await using copy = await freshMongoDatabase(server, 'tools_part');
      await withTools.restore(to(copy.name), piecesOf(bytes), choice({ items }), plainCall());
      const listed = await copy.db.listCollections().toArray();
      expect(listed.map(({ name }) => name).toSorted()).toEqual(items.toSorted());
    });
  });

  test('mongodump leaves out what is not wanted, whatever the names', async (context) => {
    needsTools(context);
    const scope = { tool: 'mongodump', excludeTables: ['odd', '-leading dash', 'with.dots and "quotes"'] };
    const { content } = await dumped(withTools, to(shop.name), scope);
    const names = content.items.map(({ name }) => name);
    for (const name of scope.excludeTables) expect(names).not.toContain(name);
    expect(names).toContain('orders');
    const only = await dumped(withTools, to(shop.name), { tool: 'mongodump', includeTables: ['empty'] });
    expect(only.content.items.map(({ name, rows }) => [name, rows])).toEqual([['empty', 0]]);
  });

  test('documents that mongorestore could not restore are a failure, and what it made is gone', async (context) => {
    needsTools(context);
    await using target = await freshMongoDatabase(server, 'tools_twice');
    const customer = await shop.db.collection('customers').findOne({ _id: 7 as never });
    await target.db.collection('customers').insertOne({ ...customer, mail: 'of somebody else' });
    const { bytes } = await dumped(builtIn, to(shop.name), { includeTables: ['customers', 'empty'] });
    const restoring = withTools.restore(to(target.name), piecesOf(bytes), choice(), plainCall());
    await expect(restoring).rejects.toMatchObject({ code: 'duplicate-key', retryable: false });
    const listed = await target.db.listCollections().toArray();
    expect(listed.map(({ name }) => name)).toEqual(['customers']);
  });

  test('an empty archive is taken by both, and an archive of a database without collections is one', async (context) => {
    needsTools(context);
    await using empty = await freshMongoDatabase(server, 'tools_empty');
    const { server: facts } = await builtIn.probe(to(''), plainCall());
    await builtIn.databases.create(to(''), empty.name, { like: facts, owner: 'a test' }, plainCall());
    for (const tool of ['builtin', 'mongodump']) {
      const { bytes, content } = await dumped(withTools, to(empty.name), { tool });
      expect(content.items).toEqual([]);
      await using copy = await freshMongoDatabase(server, 'tools_none');
      await builtIn.databases.create(to(''), copy.name, { like: facts, owner: 'a test' }, plainCall());
      await withTools.restore(to(copy.name), piecesOf(bytes), choice(), plainCall());
      expect((await builtIn.measure(to(copy.name), {}, plainCall())).items).toEqual([]);
    }
  });

  test('auto takes mongodump, and tells the consistency that it has', async (context) => {
    needsTools(context);
    const dump = await withTools.dump(to(shop.name), {}, plainCall());
    dump.bytes.resume();
    await dump.content;
    expect(dump.tool.name).toBe('mongodump');
    expect(consistencyOf(dump)).toBe('none');
    const byUs = await withTools.dump(to(shop.name), { tool: 'builtin' }, plainCall());
    byUs.bytes.resume();
    await byUs.content;
    expect(consistencyOf(byUs)).toBe(bestOf(server));
  });
});

function consistencyOf({ server }: Dump): unknown {
  return server.details['consistency'];
}

function bestOf({ replicaSet }: MongoServer): string {
  return replicaSet === undefined ? 'none' : 'snapshot';
}
