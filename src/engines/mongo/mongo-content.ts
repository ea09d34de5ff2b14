import type { ContentFacts, ItemFacts } from '../content-facts.js';
import type { ServerFacts } from '../engine.js';
import { type ArchiveContent, dataNamespaceOf, nameOf } from './archive/archive.js';
import { ContentHash } from './archive/content-hash.js';
import { readDefinition } from './archive/definition.js';
import { type FoundCollection, isWanted, itemName } from './mongo-collections.js';
import { describeSchema } from './mongo-schema.js';
import type { MongoSession } from './mongo-session.js';

/** How many documents one answer of the server holds while they are hashed: they are read once, and memory stays bounded. */
const HASH_BATCH = 1000;

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
      };
    });
  const definitions = kept.map((entry) => ({
    name: itemName(entry, isWhole),
    definition: { type: entry.type, ...readDefinition(entry) },
  }));
  return { items: items.toSorted(byName), counters: {}, schema: describeSchema(definitions, server) };
}

/** Counts what is on a server now, in the same words. */
export async function measureContent(
  session: MongoSession,
  found: readonly FoundCollection[],
  server: ServerFacts,
  options: { hashContent: boolean; isWhole: boolean },
): Promise<ContentFacts> {
  const items: ItemFacts[] = [];
  for (const collection of found) {
    if (collection.data === undefined) continue;
    const name = itemName(collection, options.isWhole);
    const { database, collection: data } = collection.data;
    const counted = options.hashContent
      ? await hashDocuments(session, database, data)
      : await countDocuments(session, database, data);
    items.push({ name, kind: 'collection', ...counted });
  }
  const definitions = found.map((one) => ({
    name: itemName(one, options.isWhole),
    definition: one.definition,
  }));
  return { items: items.toSorted(byName), counters: {}, schema: describeSchema(definitions, server) };
}

/** The server's own quick figure may be wrong after a crash; this one is counted. */
async function countDocuments(
  session: MongoSession,
  database: string,
  collection: string,
): Promise<Pick<ItemFacts, 'rows' | 'bytes'>> {
  const rows = await session.reading(() => session.db(database).collection(collection).countDocuments({}));
  return { rows, bytes: 0 };
}

async function hashDocuments(
  session: MongoSession,
  database: string,
  collection: string,
): Promise<Pick<ItemFacts, 'rows' | 'bytes' | 'contentHash'>> {
  const hash = new ContentHash();
  let rows = 0;
  let bytes = 0;
  await session.reading(async () => {
    const cursor = session
      .db(database)
      .collection<Uint8Array & { _id?: never }>(collection)
      .find({}, { raw: true, batchSize: HASH_BATCH });
    for await (const document of cursor) {
      hash.add(document);
      rows += 1;
      bytes += document.length;
    }
  });
  return { rows, bytes, contentHash: hash.toString() };
}

function byName(a: ItemFacts, b: ItemFacts): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
