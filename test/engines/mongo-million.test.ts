import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { BSON } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { documentsOf, readArchiveEvents } from '../../src/engines/mongo/archive/archive-events.ts';
import { ArchiveWriter } from '../../src/engines/mongo/archive/archive-writer.ts';
import { writeDefinition } from '../../src/engines/mongo/archive/definition.ts';
import { plainCall } from '../contracts/engine-under-test.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import { freshMongoDatabase, mongoServers } from '../support/mongo-servers.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));

const DOCUMENTS = 1_000_000;
const DOCUMENT_BYTES = BSON.calculateObjectSize({ _id: 0 });
/** Where the number is in `{ _id: 0 }`. */
const ID_AT = 9;
/** An object for each document would be a hundred bytes at least. */
const MOST_GROWTH_BYTES = 30e6;

/** An archive of the collection `shop.tiny`, whose documents are their `_id`. */
function archiveOfTiny(): Buffer {
  const documents = Buffer.alloc(DOCUMENTS * DOCUMENT_BYTES, BSON.serialize({ _id: 0 }));
  for (let id = 0; id < DOCUMENTS; id += 1) documents.writeInt32LE(id, id * DOCUMENT_BYTES + ID_AT);
  const definition = { options: new Map(), indexes: [], collectionName: 'tiny', type: 'collection' };
  const metadata = writeDefinition(definition);
  const tiny = { database: 'shop', collection: 'tiny', metadata, size: 0, type: 'collection' };
  const header = {
    concurrentCollections: 1,
    formatVersion: '0.1',
    serverVersion: '7.0.0',
    toolVersion: 'test',
  };
  const writer = new ArchiveWriter();
  const frames = [
    writer.prelude({ header, entries: [tiny] }),
    writer.documents(tiny, documents),
    writer.end(tiny),
  ];
  return Buffer.concat(frames.flat());
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What this process holds, without garbage. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** These bytes; what is held is looked at after each tenth of them. */
async function* lookedAt(
  bytes: AsyncIterable<Buffer>,
  total: number,
  held: number[],
): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const chunk of bytes) {
    yield chunk;
    seen += chunk.length;
    if (seen >= (total * (held.length + 1)) / 10) held.push(heldBytes());
  }
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const growthOf = (held: readonly number[]): number => Math.max(...held) - (held[0] ?? Number.NaN);

describe.each(servers)('a million tiny documents on $title', ({ server }) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('are loaded and dumped again, each of them, and memory does not grow with their number', async () => {
    const engine = mongoEngine(folder);
    await using target = await freshMongoDatabase(server, 'million');
    const connection = connectionToMongo(server, target.name);
    const archive = archiveOfTiny();

    const whileLoading: number[] = [];
    const loaded = Readable.from(lookedAt(Readable.from(pieces(archive)), archive.length, whileLoading), {
      objectMode: false,
    });
    await engine.restore(connection, loaded, { format: 'archive', workDir: folder }, plainCall());
    expect(whileLoading.length).toBeGreaterThan(8);
    expect(growthOf(whileLoading)).toBeLessThan(MOST_GROWTH_BYTES);

    const whileDumping: number[] = [];
    const dump = await engine.dump(connection, {}, plainCall());
    const seen = new Uint8Array(DOCUMENTS);
    const dumped = Readable.from(lookedAt(dump.bytes, archive.length, whileDumping), { objectMode: false });
    for await (const event of readArchiveEvents(dumped, { documents: 10_000, bytes: 1e6 })) {
      if (event.kind !== 'documents') continue;
      for (const document of documentsOf(event.bytes)) {
        const id = Buffer.from(document.buffer, document.byteOffset, document.length).readInt32LE(ID_AT);
        seen[id] = (seen[id] ?? 0) + 1;
      }
    }
    expect(seen.every((times) => times === 1)).toBe(true);
    const [item] = (await dump.content).items;
    expect(item).toMatchObject({ name: 'tiny', rows: DOCUMENTS, bytes: DOCUMENTS * DOCUMENT_BYTES });
    expect(growthOf(whileDumping)).toBeLessThan(MOST_GROWTH_BYTES);
  });
});
