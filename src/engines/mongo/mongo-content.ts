import { freeExpendable } from '../../process/expendable-buffers.js';
import type { ContentFacts, ItemFacts } from '../content-facts.js';
import type { DumpScope, ServerFacts } from '../engine.js';
import { type ArchiveContent, dataNamespaceOf, nameOf, type Namespace } from './archive/archive.js';
import { documentsOf } from './archive/archive-events.js';
import { ContentHash } from './archive/content-hash.js';
import { type CollectionDefinition, readDefinition } from './archive/definition.js';
import type { MongoCall } from './mongo-call.js';
import { findCollections, isWanted, itemName } from './mongo-collections.js';
import { describeSchema } from './mongo-schema.js';
import { readServerFacts } from './mongo-server-facts.js';
import type { MongoSession } from './mongo-session.js';
import { RawCursor } from './raw-cursor.js';

/**
 * What an archive holds, in the words of a manifest: its collections' documents as the reader counted them, and their definitions
 * as its prelude has them. Users, roles and the oplog are not content.
 */
export function contentOfArchive(
  content: ArchiveContent,
  server: ServerFacts,
  isWhole: boolean,
): ContentFacts {
  const { header, entries } = content.prelude;
  const held = new Map(content.namespaces.map((one) => [nameOf(one), one]));
  const kept = entries.filter((entry) => entry.database !== '' && isWanted('', entry.collection, {}));
  const items = kept
    .filter(({ type }) => type !== 'view')
    .map((entry): ItemFacts => {
      const found = held.get(nameOf(dataNamespaceOf(entry, header.serverVersion)));
      return {
        name: itemName(entry, isWhole),
        kind: 'collection',
        rows: found?.documents ?? 0,
        bytes: found?.bytes ?? 0,
        ...(found?.contentHash !== undefined && { contentHash: found.contentHash }),
        ...(expires(readDefinition(entry)) && { expires: true }),
      };
    });
  const definitions = kept.map((entry) => ({
    name: itemName(entry, isWhole),
    definition: { type: entry.type, ...readDefinition(entry) },
  }));
  return { items: items.toSorted(byName), counters: {}, schema: describeSchema(definitions, server) };
}

/** Counts what is on a server now, in the same words. What is answered meanwhile is told to the call as a sign of life. */
export async function measure(call: MongoCall, scope: DumpScope): Promise<ContentFacts> {
  const session = await call.session();
  const server = await readServerFacts(session);
  const { databaseName } = call.connection;
  const isWhole = databaseName === '';
  const found = await findCollections(session, databaseName, scope, server.version);
  const items: ItemFacts[] = [];
  for (const collection of found) {
    if (collection.data === undefined) continue;
    const name = itemName(collection, isWhole);
    const counted =
      scope.hashContent === true
        ? await hashDocuments(call, session, collection.data)
        : await countDocuments(session, collection.data);
    call.life?.tell();
    const expiring = expires(collection.definition) ? ({ expires: true } as const) : {};
    items.push({ name, kind: 'collection', ...counted, ...expiring });
  }
  const definitions = found.map((one) => ({ name: itemName(one, isWhole), definition: one.definition }));
  return { items: items.toSorted(byName), counters: {}, schema: describeSchema(definitions, server) };
}

/** The server's own quick figure may be wrong after a crash; this one is counted. */
async function countDocuments(
  session: MongoSession,
  { database, collection }: Namespace,
): Promise<Pick<ItemFacts, 'rows' | 'bytes'>> {
  const rows = await session.reading(() => session.db(database).collection(collection).countDocuments({}));
  return { rows, bytes: 0 };
}

async function hashDocuments(
  call: MongoCall,
  session: MongoSession,
  { database, collection }: Namespace,
): Promise<Pick<ItemFacts, 'rows' | 'bytes' | 'contentHash'>> {
  const hash = new ContentHash();
  let rows = 0;
  let bytes = 0;
  await session.reading(async () => {
    const cursor = await RawCursor.open(session.client, { database, collection }, call);
    try {
      for (let batch = await cursor.next(); batch !== undefined; batch = await cursor.next()) {
        for (const document of documentsOf(batch.documents)) hash.add(document);
        rows += batch.count;
        bytes += batch.documents.length;
        freeExpendable(batch.documents);
        call.life?.tell();
      }
    } finally {
      await cursor.close();
    }
  });
  return { rows, bytes, contentHash: hash.toString() };
}

/** Whether the server deletes documents by their age: by an index, or in a time series or clustered collection by itself. */
export function expires({ options, indexes }: Pick<CollectionDefinition, 'options' | 'indexes'>): boolean {
  return options.has('expireAfterSeconds') || indexes.some((index) => index.has('expireAfterSeconds'));
}

function byName(a: ItemFacts, b: ItemFacts): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
