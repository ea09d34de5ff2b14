import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BSON } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ArchiveWriter } from '../../src/engines/mongo/archive/archive-writer.ts';
import { ARCHIVE_VERSION, type CollectionEntry } from '../../src/engines/mongo/archive/archive.ts';
import { writeDefinition } from '../../src/engines/mongo/archive/definition.ts';
import type { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { freshMongoDatabase, mongoServers } from '../support/mongo-servers.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));

/** An archive of one collection `shop.a` with these documents, or of none. */
function archiveOf(documents: readonly BSON.Document[] | undefined): Buffer {
  const writer = new ArchiveWriter();
  const definition = { options: {}, indexes: [], collectionName: 'a', type: 'collection' };
  const a: CollectionEntry = {
    database: 'shop',
    collection: 'a',
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

  test('an archive of no collections makes an empty database, which gives such an archive again', async () => {
    await using target = await freshMongoDatabase(server, 'none');
    const connection = connectionToMongo(server, target.name);
    const { server: facts } = await engine.probe(connectionToMongo(server, ''), plainCall());
    await engine.databases.create(connection, target.name, facts, plainCall());
    const choice = { format: 'archive', workDir: folder } as const;
    await engine.restore(connection, piecesOf(archiveOf(undefined)), choice, plainCall());
    const again = await dumped(engine, connection);
    expect(again.content.items).toEqual([]);
    expect(again.bytes.length).toBeGreaterThan(0);
    const found = await engine.inspect(piecesOf(again.bytes), 'archive', plainCall());
    expect(found.items).toEqual([]);
  });
});
