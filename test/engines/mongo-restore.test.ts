import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BSON } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ArchiveWriter } from '../../src/engines/mongo/archive/archive-writer.ts';
import { ARCHIVE_VERSION, type CollectionEntry } from '../../src/engines/mongo/archive/archive.ts';
import { writeDefinition } from '../../src/engines/mongo/archive/definition.ts';
import { isOrderedDocument } from '../../src/engines/mongo/archive/ordered-document.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { freshMongoDatabase, mongoServers } from '../support/mongo-servers.ts';
import { indexesOn } from './mongo-dumping.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));

/** An archive of one collection `shop.a`, or of another name, with these documents; or of none. */
function archiveOf(documents: readonly BSON.Document[] | undefined, name = 'a'): Buffer {
  const writer = new ArchiveWriter();
  const definition = { options: new Map(), indexes: [], collectionName: name, type: 'collection' };
  const a: CollectionEntry = {
    database: 'shop',
    collection: name,
    metadata: writeDefinition(definition),
    size: 0,
    type: 'collection',
  };
  const header = {
    concurrentCollections: 1,
    formatVersion: ARCHIVE_VERSION,
    serverVersion: '7.0.0',
    toolVersion: 'test',
  };
  const entries = documents === undefined ? [] : [a];
  const batch = Buffer.concat((documents ?? []).map((document) => BSON.serialize(document)));
  return Buffer.concat([
    ...writer.prelude({ header, entries }),
    ...(documents === undefined ? [] : [...writer.documents(a, batch), ...writer.end(a)]),
  ]);
}

describe.each(servers)('loading archives into $title', ({ server }) => {
  let folder: string;
  let engine: MongoEngine;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
    engine = mongoEngine(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('a key that occurs twice is a failure with a word for it, and leaves nothing', async () => {
    await using target = await freshMongoDatabase(server, 'twice');
    const connection = connectionToMongo(server, target.name);
    const archive = archiveOf([{ _id: 1 }, { _id: 2 }, { _id: 1 }]);
    const choice = { format: 'archive', workDir: folder } as const;
    await expect(engine.restore(connection, piecesOf(archive), choice, plainCall())).rejects.toMatchObject({
      code: 'duplicate-key',
      retryable: false,
    });
    expect((await engine.measure(connection, {}, plainCall())).items).toEqual([]);
  });

  test.each(['a$b', '$a'])(
    'a collection named %s is loaded, or refused with a word for it, and leaves nothing',
    async (name) => {
      await using target = await freshMongoDatabase(server, 'dollar');
      const connection = connectionToMongo(server, target.name);
      const archive = archiveOf([{ _id: 1 }], name);
      const choice = { format: 'archive', workDir: folder } as const;
      const outcome = await engine
        .restore(connection, piecesOf(archive), choice, plainCall())
        .catch((error: unknown) => error);
      const { items } = await engine.measure(connection, {}, plainCall());
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: 'name-refused', retryable: false });
        expect(outcome.message).toContain(name);
        expect(items).toEqual([]);
      } else {
        expect(items).toMatchObject([{ name, rows: 1 }]);
      }
    },
  );

  test('fields of an index keep their order, those that look like integers too', async () => {
    await using source = await freshMongoDatabase(server, 'order');
    await using target = await freshMongoDatabase(server, 'order-again');
    await using other = await freshMongoDatabase(server, 'order-other');
    const on = (...names: string[]): Map<string, 1> => new Map(names.map((name) => [name, 1]));
    await source.db.collection('a').createIndex(on('name', '2024', '7'), { name: 'i' });
    await other.db.collection('a').createIndex(on('2024', 'name', '7'), { name: 'i' });
    const from = await dumped(engine, connectionToMongo(server, source.name));
    const connection = connectionToMongo(server, target.name);
    await engine.restore(
      connection,
      piecesOf(from.bytes),
      { format: 'archive', workDir: folder },
      plainCall(),
    );
    const [, index] = await indexesOn(target.db, 'a');
    const key = index?.get('key');
    expect(isOrderedDocument(key) && [...key.keys()]).toEqual(['name', '2024', '7']);
    const digestOf = async (name: string): Promise<string | undefined> =>
      (await engine.measure(connectionToMongo(server, name), {}, plainCall())).schema?.digest;
    expect(await digestOf(target.name)).toBe(from.content.schema?.digest);
    expect(await digestOf(other.name)).not.toBe(from.content.schema?.digest);
  });

  test('an archive of no collections makes an empty database, which gives such an archive again', async () => {
    await using target = await freshMongoDatabase(server, 'none');
    const connection = connectionToMongo(server, target.name);
    const { server: facts } = await engine.probe(connectionToMongo(server, ''), plainCall());
    await engine.databases.create(connection, target.name, { like: facts, owner: 'a test' }, plainCall());
    const choice = { format: 'archive', workDir: folder } as const;
    await engine.restore(connection, piecesOf(archiveOf(undefined)), choice, plainCall());
    const again = await dumped(engine, connection);
    expect(again.content.items).toEqual([]);
    expect(again.bytes.length).toBeGreaterThan(0);
    const found = await engine.inspect(piecesOf(again.bytes), 'archive', plainCall());
    expect(found.items).toEqual([]);
  });
});
