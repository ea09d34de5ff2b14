import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import { BSON, type Db, type MongoClient } from 'mongodb';

import { SystemClock } from '../../src/clock/system-clock.ts';
import { readArchiveEvents } from '../../src/engines/mongo/archive/archive-events.ts';
import { ArchiveReader } from '../../src/engines/mongo/archive/archive-reader.ts';
import { type ArchiveContent, nameOf } from '../../src/engines/mongo/archive/archive.ts';
import { type OrderedDocument, readBson } from '../../src/engines/mongo/archive/ordered-document.ts';
import type { BuiltInPlan } from '../../src/engines/mongo/builtin-dump-sources.ts';
import { type BuiltInDump, openBuiltInDump } from '../../src/engines/mongo/builtin-dump.ts';

/** Everything of one database, as the engine would plan it. */
export async function planOf(db: Db, plan: Partial<BuiltInPlan> = {}): Promise<BuiltInPlan> {
  const build = await db.admin().command({ buildInfo: 1 });
  const hello = await db.admin().command({ hello: 1 });
  const version = String(build['version']);
  const listed: BSON.Document[] = await db.listCollections({}, { promoteValues: false }).toArray();
  const collections = [];
  for (const { name, type = 'collection', options = {}, info } of listed) {
    if (name.startsWith('system.')) continue;
    const uuid =
      info?.uuid instanceof BSON.Binary ? { uuid: info.uuid.toString('hex').replaceAll('-', '') } : {};
    const indexes = type === 'view' ? [] : await indexesOn(db, name);
    const definition = {
      options: new Map(Object.entries(options)),
      indexes,
      collectionName: name,
      type: String(type),
      ...uuid,
    };
    collections.push({ database: db.databaseName, collection: name, definition });
  }
  const topology = hello['setName'] === undefined ? 'standalone' : 'replica-set';
  const server = { version, major: Number.parseInt(version, 10), details: { topology } };
  return { server, databaseName: db.databaseName, collections, usersAndRoles: false, ...plan };
}

/** A collection's indexes from the bytes of the server's answer. */
export async function indexesOn(db: Db, collection: string): Promise<OrderedDocument[]> {
  const listed: unknown[] = await db.collection(collection).listIndexes({ raw: true }).toArray();
  return listed.map(readBson);
}

export interface OpenedDump extends BuiltInDump {
  log: string[];
  progress: string[];
}

/** Opens a dump over a client, with errors as the driver throws them. */
export async function openDump(
  client: MongoClient,
  plan: BuiltInPlan,
  signal?: AbortSignal,
): Promise<OpenedDump> {
  const log: string[] = [];
  const progress: string[] = [];
  const call = {
    signal: signal ?? new AbortController().signal,
    clock: new SystemClock(),
    log: (line: string) => log.push(line),
    onProgress: ({ item, itemsDone }: { item?: string; itemsDone: number }) =>
      progress.push(`${itemsDone} ${item}`),
  };
  const dump = await openBuiltInDump(call, { client, reading: (work) => work() }, plan);
  return { ...dump, log, progress };
}

/** Reads a dump to its end, through the reader that every dump passes. */
export async function readDump(
  bytes: Readable,
  options: { hashContent?: boolean } = {},
): Promise<{ content: ArchiveContent; archive: Buffer }> {
  const reader = new ArchiveReader(options);
  const archive = await pipeline(bytes, reader, (passed) => buffer(passed));
  return { content: reader.content, archive };
}

/** The documents of an archive as bytes, by the full name of their collection. */
export async function documentsIn(archive: Buffer): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer[]>();
  const limits = { documents: 100_000, bytes: 16_000_000 };
  for await (const event of readArchiveEvents(Readable.from([archive], { objectMode: false }), limits)) {
    if (event.kind === 'documents') {
      const name = nameOf(event.namespace);
      found.set(name, [...(found.get(name) ?? []), Buffer.from(event.bytes)]);
    } else if (event.kind === 'end') {
      found.set(nameOf(event.content), found.get(nameOf(event.content)) ?? []);
    }
  }
  return new Map([...found].map(([name, parts]) => [name, Buffer.concat(parts)]));
}

/** A collection's documents as the driver's own cursor gives them, in the same order. */
export async function documentsOn(db: Db, collection: string): Promise<Buffer> {
  const cursor = db.collection(collection).find({}, { raw: true }).hint({ $natural: 1 });
  const documents: Uint8Array[] = [];
  for await (const document of cursor) documents.push(document as unknown as Uint8Array);
  return Buffer.concat(documents);
}

/** Documents of every type that the driver knows, deep ones and large ones. */
export function hardDocuments(): BSON.Document[] {
  let deep: BSON.Document = { end: true };
  for (let depth = 0; depth < 98; depth += 1) deep = { d: deep };
  return [
    { _id: 1, long: BSON.Long.fromString('9007199254740993'), decimal: BSON.Decimal128.fromString('1.50') },
    {
      _id: 2,
      int: new BSON.Int32(7),
      double: new BSON.Double(7),
      date: new Date(0),
      yes: true,
      nothing: null,
    },
    {
      _id: 3,
      binary: new BSON.Binary(Buffer.from([0, 1, 2]), 0),
      id: new BSON.ObjectId(),
      pattern: /^a.b$/i,
    },
    { _id: 4, deep },
    { _id: 5, '10': 'ten', '9': 'nine', ä: 'Unicode ☃', '': 'no name' },
    { _id: 6, large: 'x'.repeat(16 * 1024 * 1024 - 40) },
  ];
}

/** Names that trouble whoever takes a name for a path, a pattern or an option. */
export const HARD_NAMES = [
  'with.dots',
  'quo\'te"s',
  ' blanks ',
  '-leading-dash',
  'Ünïcödé ☃',
  'percent%2e',
  'a'.repeat(150),
];
