import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Connection, ServerFacts } from '../../src/engines/engine.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { plainCall } from '../contracts/engine-under-test.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { freshMongoDatabase, mongoServers, needs } from '../support/mongo-servers.ts';
import { fillWithSample, SAMPLE_DOCUMENTS } from '../support/sample-mongo.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));

describe.each(servers)('whole databases on $title', ({ server }) => {
  let folder: string;
  let engine: MongoEngine;
  let facts: ServerFacts;
  const to = (name: string): Connection => connectionToMongo(server, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
    engine = mongoEngine(folder);
    ({ server: facts } = await engine.probe(to(''), plainCall()));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('a database that is created exists, is empty, is refused a second time, and can be dropped', async () => {
    await using database = await freshMongoDatabase(server, 'made');
    const { databases } = engine;
    expect(await databases.exists(to(''), database.name, plainCall())).toBe(false);
    await databases.create(to(''), database.name, { like: facts, owner: 'a test' }, plainCall());
    expect(await databases.exists(to(''), database.name, plainCall())).toBe(true);
    expect((await engine.measure(to(database.name), {}, plainCall())).items).toEqual([]);
    await expect(
      databases.create(to(''), database.name, { like: facts, owner: 'a test' }, plainCall()),
    ).rejects.toMatchObject({
      code: 'target-database-exists',
    });
    await databases.drop(to(''), database.name, { endSessions: true }, plainCall());
    await databases.drop(to(''), database.name, { endSessions: true }, plainCall());
    expect(await databases.exists(to(''), database.name, plainCall())).toBe(false);
  });

  test('of two who create one at once, one is refused', async () => {
    await using database = await freshMongoDatabase(server, 'raced');
    const owners = ['one', 'two', 'three'];
    const results = await Promise.allSettled(
      owners.map((owner) =>
        engine.databases.create(to(''), database.name, { like: facts, owner }, plainCall()),
      ),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    for (const { reason } of refused as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: 'target-database-exists' });
  });

  test('dropping what somebody has made leaves what another has, and what is whole', async () => {
    const { databases } = engine;
    const dropOf = (name: string, madeBy: string): Promise<void> =>
      databases.drop(to(''), name, { endSessions: true, madeBy }, plainCall());
    await using theirs = await freshMongoDatabase(server, 'theirs');
    await theirs.db.collection('a').insertOne({ x: 1 });
    await dropOf(theirs.name, 'us');
    expect(await theirs.db.collection('a').countDocuments()).toBe(1);

    await using made = await freshMongoDatabase(server, 'owned');
    await databases.create(to(''), made.name, { like: facts, owner: 'us' }, plainCall());
    await made.db.collection('a').insertOne({ x: 1 });
    await dropOf(made.name, 'us before');
    expect(await made.db.collection('a').countDocuments()).toBe(1);
    await databases.release(to(''), made.name, plainCall());
    await databases.release(to(''), made.name, plainCall());
    await dropOf(made.name, 'us');
    expect((await made.db.listCollections().toArray()).map(({ name }) => name)).toEqual(['a']);

    await using unfinished = await freshMongoDatabase(server, 'unfinished');
    await databases.create(to(''), unfinished.name, { like: facts, owner: 'us' }, plainCall());
    await unfinished.db.collection('a').insertOne({ x: 1 });
    await dropOf(unfinished.name, 'us');
    expect(await databases.exists(to(''), unfinished.name, plainCall())).toBe(false);
  });

  test('a dump of a newer server is refused before anything is made', async () => {
    await using database = await freshMongoDatabase(server, 'newer');
    const newer = { ...facts, major: facts.major + 1 };
    await expect(
      engine.databases.create(to(''), database.name, { like: newer, owner: 'a test' }, plainCall()),
    ).rejects.toMatchObject({
      code: 'server-too-old',
    });
    expect(await engine.databases.exists(to(''), database.name, plainCall())).toBe(false);
  });

  test('probing tells version, collections, tool, and what is missing', async () => {
    await using database = await freshMongoDatabase(server, 'probed');
    await fillWithSample(database.db);
    const report = await engine.probe(to(database.name), plainCall());
    expect(report.itemCount).toBe(Object.keys(SAMPLE_DOCUMENTS).length);
    expect(report.sizeBytes).toBeGreaterThan(1000);
    expect(report.tool).toMatchObject({ name: 'builtin' });
    const codes = report.warnings.map(({ code }) => code);
    expect(codes).toContain('tools-missing');
    expect(codes.includes('no-snapshot')).toBe(server.replicaSet === undefined);
    expect(codes.includes('swap-unsupported')).toBe(server.isFerretDb);
    await expect(engine.probe(to('no-such-database'), plainCall())).rejects.toMatchObject({
      code: 'database-absent',
    });
  });

  test('measuring counts, hashes and describes; a choice of collections is obeyed', async () => {
    await using database = await freshMongoDatabase(server, 'measured');
    await fillWithSample(database.db);
    const all = await engine.measure(to(database.name), { hashContent: true }, plainCall());
    expect(Object.fromEntries(all.items.map(({ name, rows }) => [name, rows]))).toEqual(SAMPLE_DOCUMENTS);
    expect(all.items.every(({ contentHash }) => contentHash?.startsWith('bson-sum-v1:'))).toBe(true);
    expect(all.schema.objects).toMatchObject({ collections: 9 });

    const scope = { includeTables: ['orders', 'odd'], excludeTables: ['odd'] };
    const some = await engine.measure(to(database.name), scope, plainCall());
    expect(some.items).toMatchObject([{ name: 'orders', rows: 2000 }]);

    await database.db.collection('orders').updateOne({ customer: 7 }, { $set: { note: 'changed' } });
    await database.db.collection('customers').createIndex({ name: 1 });
    const later = await engine.measure(to(database.name), { hashContent: true }, plainCall());
    const hashOf = (facts_: typeof all, name: string): string | undefined =>
      facts_.items.find((item) => item.name === name)?.contentHash;
    expect(hashOf(later, 'orders')).not.toBe(hashOf(all, 'orders'));
    expect(hashOf(later, 'customers')).toBe(hashOf(all, 'customers'));
    expect(later.schema.digest).not.toBe(all.schema.digest);
  });

  test('the whole server is measured by full names', async () => {
    await using database = await freshMongoDatabase(server, 'whole');
    await database.db.collection('a.b').insertOne({ x: 1 });
    const scope = { includeTables: [`${database.name}.a.b`] };
    const found = await engine.measure(to(''), scope, plainCall());
    expect(found.items).toMatchObject([{ name: `${database.name}.a.b`, rows: 1 }]);
  });

  test('a server that cannot rename across databases says so before anything is touched', async (context) => {
    context.skip(!server.isFerretDb, 'this server renames across databases');
    await using live = await freshMongoDatabase(server, 'live');
    await using fresh = await freshMongoDatabase(server, 'fresh');
    await live.db.collection('a').insertOne({ old: true });
    await fresh.db.collection('a').insertOne({ old: false });
    const names = { live: live.name, fresh: fresh.name, keepAs: `${live.name}_kept` };
    const refused = { code: 'swap-unsupported', retryable: false };
    const { databases } = engine;
    await expect(databases.checkSwap(to(''), live.name, plainCall())).rejects.toMatchObject(refused);
    await expect(databases.swap(to(''), names, { endSessions: true }, plainCall())).rejects.toMatchObject(
      refused,
    );
    expect(await live.db.collection('a').findOne({}, { projection: { _id: 0 } })).toEqual({ old: true });
    expect(await databases.settleSwap(to(''), names, plainCall())).toBe('untouched');
  });

  test('a swap keeps the old one, and can be settled any number of times', async (context) => {
    needs(context, server, 'renaming across databases');
    await using live = await freshMongoDatabase(server, 'live');
    await using fresh = await freshMongoDatabase(server, 'fresh');
    await live.db.collection('a').insertOne({ old: true });
    await fresh.db.collection('a').insertOne({ old: false });
    await fresh.db.createCollection('v', { viewOn: 'a', pipeline: [] });
    const names = { live: live.name, fresh: fresh.name, keepAs: `${live.name}_kept` };
    const { databases } = engine;
    expect(await databases.settleSwap(to(''), names, plainCall())).toBe('untouched');
    await databases.swap(to(''), names, { endSessions: true }, plainCall());
    expect(await databases.settleSwap(to(''), names, plainCall())).toBe('swapped');
    expect(await live.db.collection('v').findOne({}, { projection: { _id: 0 } })).toEqual({ old: false });
    expect(await databases.exists(to(''), fresh.name, plainCall())).toBe(false);
    const kept = live.client.db(names.keepAs);
    expect(await kept.collection('a').findOne({}, { projection: { _id: 0 } })).toEqual({ old: true });
    await databases.drop(to(''), names.keepAs, { endSessions: true }, plainCall());
  });
});
