import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

import { BSON, type Db, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { ArchiveReader } from '../../src/engines/mongo/archive/archive-reader.ts';
import { readDefinition } from '../../src/engines/mongo/archive/definition.ts';
import { CollectionsChangedError } from '../../src/engines/mongo/builtin-dump.errors.ts';
import { freeExpendable } from '../../src/process/expendable-buffers.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { connectMongo, freshMongoDatabase, mongoServers, needs } from '../support/mongo-servers.ts';
import { startProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import {
  documentsIn,
  documentsOn,
  HARD_NAMES,
  hardDocuments,
  indexesOn,
  openDump,
  planOf,
  readDump,
} from './mongo-dumping.ts';

/** Some megabytes in several collections, so that a dump takes many batches. */
async function fill(db: Db, collections: number, documents: number): Promise<void> {
  const note = 'x'.repeat(1000);
  for (let n = 0; n < collections; n += 1)
    await db
      .collection(`c${n}`)
      .insertMany(Array.from({ length: documents }, (_, _id) => ({ _id, n, note })) as BSON.Document[]);
}

describe.each(mongoServers().map((server) => ({ server, title: mongoTitle(server) })))(
  'the built-in dump of $title',
  ({ server }) => {
    it('holds every document byte for byte, whatever the names, types and sizes', async () => {
      await using fresh = await freshMongoDatabase(server, '-Häß');
      const { db } = fresh;
      await db.collection('hard').insertMany(hardDocuments());
      for (const [n, name] of HARD_NAMES.entries())
        await db.collection(name).insertMany([{ n }, { n, name }]);
      await db
        .collection('hard')
        .createIndex({ long: 1, 'a.b': -1 }, { unique: true, name: 'odd $ name', sparse: true });
      await db.createCollection('empty');
      const plan = await planOf(db);
      const { bytes, consistency, tool } = await openDump(fresh.client, plan);
      const { content, archive } = await readDump(bytes, { hashContent: true });
      const held = await documentsIn(archive);
      expect([...held.keys()].sort()).toEqual(
        [...HARD_NAMES, 'hard', 'empty'].map((name) => `${db.databaseName}.${name}`).sort(),
      );
      for (const name of [...HARD_NAMES, 'hard', 'empty'])
        expect(held.get(`${db.databaseName}.${name}`)?.equals(await documentsOn(db, name)), name).toBe(true);
      const hard = content.prelude.entries.find(({ collection }) => collection === 'hard');
      const definition = readDefinition(hard ?? expect.fail('hard is not in the prelude'));
      expect(definition.indexes).toEqual(await indexesOn(db, 'hard'));
      expect(definition.uuid).toMatch(/^[0-9a-f]{32}$/);
      expect(tool.name).toBe('builtin');
      expect(consistency).toBe(server.replicaSet === undefined ? 'none' : 'snapshot');
    });

    it('holds a collection with $ in its name, where a server has one', async (context) => {
      await using fresh = await freshMongoDatabase(server, 'dollar');
      const refusal = await fresh.db.command({ insert: 'a$b', documents: [{ _id: 1 }] }).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      context.skip(refusal !== undefined, `this server has none: ${refusal}`);
      const { bytes } = await openDump(fresh.client, await planOf(fresh.db));
      const { content } = await readDump(bytes);
      expect(content.namespaces).toMatchObject([{ collection: 'a$b', documents: 1 }]);
    });

    it('gives batches that their last reader may free at once, and none that is used elsewhere', async () => {
      await using fresh = await freshMongoDatabase(server, 'freed');
      await fill(fresh.db, 3, 6000);
      const plan = await planOf(fresh.db);
      const whole = await readDump((await openDump(fresh.client, plan)).bytes, { hashContent: true });
      const { bytes } = await openDump(fresh.client, plan);
      const reader = new ArchiveReader({ hashContent: true });
      let freed = 0;
      const last = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          freeExpendable(chunk);
          if (chunk.length === 0) freed += 1;
          done();
        },
      });
      await pipeline(bytes, reader, last);
      const inOrder = ({ namespaces }: typeof whole.content): object[] =>
        namespaces.toSorted((a, b) => a.collection.localeCompare(b.collection));
      expect(inOrder(reader.content)).toEqual(inOrder(whole.content));
      // The driver of a replica set keeps a piece of each answer.
      if (server.replicaSet === undefined) expect(freed).toBeGreaterThan(3);
      else expect(freed).toBe(0);
    });

    it('of an empty database is a whole archive of no collections', async () => {
      await using fresh = await freshMongoDatabase(server, 'nothing');
      const { bytes } = await openDump(fresh.client, await planOf(fresh.db));
      const { content } = await readDump(bytes);
      expect(content).toMatchObject({ namespaces: [], prelude: { entries: [] } });
    });

    it('reads several collections at once, in batches, and tells of each', async () => {
      await using fresh = await freshMongoDatabase(server, 'several');
      await fill(fresh.db, 6, 3000);
      const { bytes, progress } = await openDump(fresh.client, await planOf(fresh.db));
      const { content, archive } = await readDump(bytes);
      expect(content.namespaces.map(({ documents }) => documents)).toEqual(
        Array.from({ length: 6 }, () => 3000),
      );
      expect(progress.map((line) => line.split(' ')[0])).toEqual(['1', '2', '3', '4', '5', '6']);
      // Segments of one collection stand between those of others.
      expect(archive.toString('latin1').split('\u0008EOF\u0000\u0000').length - 1).toBeGreaterThan(6);
    });

    it('asks the server for no more than a few batches while nobody reads', async () => {
      await using fresh = await freshMongoDatabase(server, 'slow');
      await fill(fresh.db, 8, 6000);
      await using client = await connectMongo(server, { monitorCommands: true });
      const asked: string[] = [];
      client.on('commandStarted', ({ commandName }) => asked.push(commandName));
      const { bytes } = await openDump(client, await planOf(fresh.db));
      asked.length = 0;
      bytes.read(0);
      await once(bytes, 'readable');
      await until('the cursors to stop', async () => {
        const before = asked.length;
        await client.db('admin').command({ ping: 1 });
        await client.db('admin').command({ ping: 1 });
        return asked.length === before + 2;
      });
      const cursors = asked.filter((name) => name === 'find' || name === 'getMore');
      // Four collections, each with one batch in hand and one coming; and one whose batch is in the stream.
      expect(cursors.length).toBeLessThanOrEqual(9);
      expect(bytes.readableLength).toBeLessThan(17_000_000);
      bytes.destroy();
      await once(bytes, 'close');
    });

    it.each(['abort', 'destroy'] as const)('lets go of everything within 5 s after %s', async (how) => {
      await using fresh = await freshMongoDatabase(server, 'stop');
      await fill(fresh.db, 5, 6000);
      await using client = await connectMongo(server, { monitorCommands: true });
      const killed: number[] = [];
      client.on('commandSucceeded', ({ commandName, reply }) => {
        if (commandName === 'killCursors')
          killed.push((reply as { cursorsKilled: unknown[] }).cursorsKilled.length);
      });
      const cancel = new AbortController();
      const { bytes } = await openDump(client, await planOf(fresh.db), cancel.signal);
      const closed = new Promise((resolve) => bytes.once('close', resolve));
      bytes.on('error', () => undefined);
      await until('the first documents', () => (bytes.read()?.length ?? 0) > 100_000);
      const started = performance.now();
      if (how === 'abort') cancel.abort(new Error('cancelled'));
      else bytes.destroy();
      await closed;
      expect(performance.now() - started).toBeLessThan(5000);
      const error = bytes.errored;
      expect(error?.message).toBe(how === 'abort' ? 'cancelled' : undefined);
      expect(bytes.readableEnded).toBe(false);
      expect(killed.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
    });

    it('never ends well when the connection breaks, wherever that is', async () => {
      await using fresh = await freshMongoDatabase(server, 'cut');
      await fill(fresh.db, 3, 2000);
      const plan = await planOf(fresh.db);
      const whole = await readDump((await openDump(fresh.client, plan)).bytes, { hashContent: true });
      const inOrder = ({ content }: typeof whole): object[] =>
        content.namespaces.toSorted((a, b) => a.collection.localeCompare(b.collection));
      let broken = 0;
      await using proxy = await startProxy(server);
      for (let run = 0; run < 20; run += 1) {
        proxy.mend();
        await using client = await connectMongo(
          { ...server, ...proxy.address },
          { serverSelectionTimeoutMS: 200 },
        );
        const { bytes } = await openDump(client, plan);
        let left = (whole.archive.length * run) / 20;
        bytes.on('data', (chunk: Buffer) => {
          if (left >= 0 && (left -= chunk.length) < 0) void proxy.cut();
        });
        const outcome = await readDump(bytes, { hashContent: true }).catch((error: unknown) => error);
        if (outcome instanceof Error) {
          broken += 1;
          expect(bytes.readableEnded).toBe(false);
        } else {
          // What was on its way already was all there was.
          expect(inOrder(outcome as typeof whole)).toEqual(inOrder(whole));
        }
      }
      expect(broken).toBeGreaterThan(5);
    });

    it('fails with the error of the server, and does not wait for the reader to tell', async () => {
      await using fresh = await freshMongoDatabase(server, 'fails');
      await fill(fresh.db, 4, 4000);
      const plan = await planOf(fresh.db);
      const broken = { ...plan.collections[0]!, collection: '' }; // no server reads a collection without a name
      const { bytes } = await openDump(fresh.client, {
        ...plan,
        collections: [...plan.collections.slice(1), broken],
      });
      const closed = once(bytes, 'close').catch((error: unknown) => error);
      bytes.read(0);
      await closed;
      expect(bytes.errored).toBeInstanceOf(MongoServerError);
    });

    it('leaves out what is made during the dump; one dropped before its turn is empty, and the log says so', async () => {
      await using fresh = await freshMongoDatabase(server, 'moves');
      await fill(fresh.db, 2, 100);
      const plan = await planOf(fresh.db);
      await fresh.db.collection('made').insertOne({});
      await fresh.db.dropCollection('c1');
      const { bytes, log } = await openDump(fresh.client, plan);
      const { content } = await readDump(bytes);
      const names = content.namespaces.map(({ collection, documents }) => `${collection} ${documents}`);
      expect(names.sort()).toEqual(['c0 100', 'c1 0']);
      expect(log).toEqual([`backstop: ${fresh.name}.c1 was dropped by somebody, and is empty in the dump`]);
    });

    it('fails when the server has forgotten the moment that is read', async (context) => {
      needs(context, server, 'a replica set');
      await using fresh = await freshMongoDatabase(server, 'history');
      await fill(fresh.db, 2, 10);
      const window = (seconds: number): Promise<unknown> =>
        fresh.client.db('admin').command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: seconds });
      const { bytes, details } = await openDump(fresh.client, await planOf(fresh.db));
      const { seconds: t, increment: i } = details['cluster_time'] as { seconds: number; increment: number };
      const readConcern = { level: 'snapshot', atClusterTime: new BSON.Timestamp({ t, i }) };
      await window(0);
      try {
        await until('the moment to be forgotten', async () => {
          await fresh.db
            .collection('c0')
            .updateMany({}, { $inc: { n: 1 } }, { writeConcern: { w: 'majority' } });
          const asked = fresh.db.command({ find: 'c0', readConcern });
          return await asked.then(
            () => false,
            () => true,
          );
        });
        await expect(readDump(bytes)).rejects.toMatchObject({ code: 'history-too-short', retryable: true });
      } finally {
        await window(300);
      }
    });

    it('is not made when a collection was renamed before its turn', async () => {
      await using fresh = await freshMongoDatabase(server, 'renamed');
      await fill(fresh.db, 2, 100);
      const plan = await planOf(fresh.db);
      await fresh.db.collection('c1').rename('other');
      const { bytes } = await openDump(fresh.client, plan);
      await expect(readDump(bytes)).rejects.toBeInstanceOf(CollectionsChangedError);
    });

    it.each(['drops', 'renames'] as const)(
      'never takes a part for the whole when somebody %s the collection that is read',
      async (how) => {
        await using fresh = await freshMongoDatabase(server, 'part');
        await fill(fresh.db, 1, 30_000);
        const { bytes, consistency } = await openDump(fresh.client, await planOf(fresh.db));
        await until('the first documents', () => (bytes.read()?.length ?? 0) > 50_000);
        if (how === 'drops') await fresh.db.dropCollection('c0');
        else await fresh.db.collection('c0').rename('other');
        // A snapshot holds it all the same.
        const outcome = await readRest(bytes);
        if (consistency === 'snapshot') expect(outcome).toBeUndefined();
        else expect(outcome).toBeInstanceOf(CollectionsChangedError);
      },
    );

    it('has the words of mongorestore, which restores it', async (context) => {
      const { stdout } = await promisify(execFile)('mongorestore', ['--version']).catch(() => ({
        stdout: '',
      }));
      context.skip(stdout === '', 'mongorestore is not on PATH');
      await using fresh = await freshMongoDatabase(server, 'tool');
      await using other = await freshMongoDatabase(server, 'tool_restored');
      await fresh.db.collection('hard').insertMany(hardDocuments());
      for (const [n, name] of HARD_NAMES.entries())
        await fresh.db.collection(name).insertMany([{ n }, { n, name }]);
      await fresh.db.collection('hard').createIndex({ long: 1 }, { unique: true, sparse: true });
      const { archive } = await readDump((await openDump(fresh.client, await planOf(fresh.db))).bytes);
      const restore = execFile('mongorestore', [
        `--uri=mongodb://${server.username}:${server.password}@${server.host}:${server.port}/?directConnection=true`,
        '--archive',
        `--nsFrom=${fresh.name}.*`,
        `--nsTo=${other.name}.*`,
      ]);
      let said = '';
      restore.stderr?.on('data', (text: string) => (said += text));
      restore.stdin?.end(archive);
      const [code] = await once(restore, 'exit');
      expect(code, said).toBe(0);
      for (const name of [...HARD_NAMES, 'hard']) {
        const hashes = await Promise.all(
          [fresh.db, other.db].map(async (db) => sortedHash(await documentsOn(db, name))),
        );
        expect(hashes[0], name).toBe(hashes[1]);
      }
      expect(await other.db.collection('hard').indexes()).toEqual(
        await fresh.db.collection('hard').indexes(),
      );
    });

    it('of a replica set is of one moment', async (context) => {
      needs(context, server, 'a replica set');
      await using fresh = await freshMongoDatabase(server, 'moment');
      await fill(fresh.db, 2, 5000);
      const plan = await planOf(fresh.db);
      const { bytes, consistency, details } = await openDump(fresh.client, plan);
      // After the moment, before the reading.
      await fresh.db.collection('c0').deleteMany({});
      await fresh.db.collection('c1').insertOne({ late: true });
      const { content } = await readDump(bytes);
      expect(consistency).toBe('snapshot');
      expect(details).toMatchObject({ outside_snapshot: [], cluster_time: { seconds: expect.any(Number) } });
      expect(content.namespaces.map(({ documents }) => documents)).toEqual([5000, 5000]);
    });

    it('holds views as definitions, and capped collections and time series with their options', async (context) => {
      needs(context, server, 'views', 'capped collections', 'time-series collections', 'validators');
      await using fresh = await freshMongoDatabase(server, 'kinds');
      const { db } = fresh;
      await db.createCollection('capped', { capped: true, size: 4096, max: 10 });
      await db.createCollection('strict', { validator: { $jsonSchema: { required: ['a'] } } });
      await db.createCollection('weather', { timeseries: { timeField: 'at', metaField: 'place' } });
      await db.collection('weather').insertMany([
        { at: new Date(0), place: 1, t: 20 },
        { at: new Date(1), place: 1, t: 21 },
      ]);
      await db.createCollection('view', { viewOn: 'strict', pipeline: [{ $match: { a: 1 } }] });
      const { content } = await readDump((await openDump(fresh.client, await planOf(db))).bytes);
      const entry = (name: string): BSON.Document =>
        Object.fromEntries(
          readDefinition(
            content.prelude.entries.find(({ collection }) => collection === name) ?? expect.fail(name),
          ).options,
        );
      expect(entry('capped')).toMatchObject({ capped: true });
      expect(entry('strict')).toHaveProperty('validator');
      expect(entry('view')).toMatchObject({ viewOn: 'strict' });
      expect(entry('weather')).toHaveProperty('timeseries');
      const buckets = content.namespaces.find(({ collection }) => collection === 'system.buckets.weather');
      expect(buckets).toMatchObject({ documents: 1 });
    });
  },
);

/** How a dump ends of which some was read already. */
async function readRest(bytes: Readable): Promise<unknown> {
  bytes.resume();
  return await finished(bytes).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Of documents in any order. */
function sortedHash(documents: Buffer): string {
  const digests: string[] = [];
  for (let at = 0; at < documents.length; at += documents.readUInt32LE(at))
    digests.push(
      createHash('sha256')
        .update(documents.subarray(at, at + documents.readUInt32LE(at)))
        .digest('hex'),
    );
  return createHash('sha256').update(digests.sort().join()).digest('hex');
}
