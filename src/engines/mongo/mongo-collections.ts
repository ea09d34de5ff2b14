import type { DumpScope } from '../engine.js';
import { dataNamespaceOf, type Namespace } from './archive/archive.js';
import type { CollectionDefinition } from './archive/definition.js';
import { isOrderedDocument, type OrderedDocument, readBson } from './archive/ordered-document.js';
import { documentsIn, textIn } from './fields.js';
import type { MongoSession } from './mongo-session.js';

/** Made by a restore to hold the name of a database, and to say that it is not whole (see `restore-mark.ts`); no part of any backup. */
export const RESTORE_MARKER = 'backstop.restoring';
/** Written by a swap, so that another process can finish it; no part of any backup. */
export const SWAP_JOURNAL = 'backstop.swap';

/** Databases of the server itself. */
const SERVER_DATABASES = new Set(['local', 'config']);

/** A collection or view as it is on a server. */
export interface FoundCollection extends Namespace {
  definition: CollectionDefinition;
  /** Where its documents are; absent for a view. */
  data?: Namespace;
}

/**
 * The collections and views that a scope means, with their definitions, in order of database and name: of one database, or of all
 * when `databaseName` is empty.
 */
export async function findCollections(
  session: MongoSession,
  databaseName: string,
  scope: Pick<DumpScope, 'includeTables' | 'excludeTables'>,
  serverVersion: string,
): Promise<FoundCollection[]> {
  const isWhole = databaseName === '';
  const databases = isWhole ? await findDatabases(session) : [databaseName];
  const found: FoundCollection[] = [];
  for (const database of databases) {
    for (const listed of await listCollections(session, database)) {
      const name = itemName({ database, collection: listed.name }, isWhole);
      if (isWanted(name, listed.name, scope)) {
        found.push(await defined(session, database, listed, serverVersion));
      }
    }
  }
  return found.toSorted((a, b) => compare(a.database, b.database) || compare(a.collection, b.collection));
}

/** Names that a scope includes and that are not there: nothing is backed up under a misspelled name. */
export function unknownIn(
  found: readonly Namespace[],
  { includeTables = [], excludeTables = [] }: Pick<DumpScope, 'includeTables' | 'excludeTables'>,
  isWhole: boolean,
): string[] {
  const there = new Set([...found.map((one) => itemName(one, isWhole)), ...excludeTables]);
  return includeTables.filter((name) => !there.has(name));
}

/** Names of the databases that belong to people, as far as the user may see them. */
export async function findDatabases(session: MongoSession): Promise<string[]> {
  const answer = await session.command('admin', { listDatabases: 1, nameOnly: true });
  const names = documentsIn(answer['databases']).map((one) => textIn(one['name']) ?? '');
  return names.filter((name) => !SERVER_DATABASES.has(name)).sort();
}

/** As people write it: the collection, with its database where there are several. */
export function itemName({ database, collection }: Namespace, isWhole: boolean): string {
  return isWhole ? `${database}.${collection}` : collection;
}

/** Whether a collection is a part of the scope. `name` is what the scope would call it. */
export function isWanted(
  name: string,
  collection: string,
  { includeTables = [], excludeTables = [] }: Pick<DumpScope, 'includeTables' | 'excludeTables'>,
): boolean {
  if (!isOfPeople(collection)) return false;
  if (includeTables.length > 0 && !includeTables.includes(name)) return false;
  return !excludeTables.includes(name);
}

/** Users and roles are in archives alone under `$admin.`, a name that no collection can have. */
function isOfPeople(collection: string): boolean {
  if (collection.startsWith('$admin.')) return false;
  return collection !== RESTORE_MARKER && collection !== SWAP_JOURNAL && !isOfServer(collection);
}

/** What the server keeps for itself is left out, as mongodump does; functions in `system.js` are people's. */
export function isOfServer(collection: string): boolean {
  return collection.startsWith('system.') && collection !== 'system.js';
}

interface ListedCollection {
  name: string;
  type: string;
  options: OrderedDocument;
  uuid?: string;
}

/** Everything that a database lists, the server's own included. */
export async function listCollections(session: MongoSession, database: string): Promise<ListedCollection[]> {
  const cursor = session.db(database).listCollections({}, { nameOnly: false, raw: true });
  const listed: unknown[] = await session.reading(() => cursor.toArray());
  return listed.map(readBson).map((one) => {
    const [options, info] = [one.get('options'), one.get('info')];
    const uuid = isOrderedDocument(info) ? hexOf(info.get('uuid')) : undefined;
    return {
      name: textIn(one.get('name')) ?? '',
      type: textIn(one.get('type')) ?? 'collection',
      options: isOrderedDocument(options) ? options : new Map<string, unknown>(),
      ...(uuid !== undefined && { uuid }),
    };
  });
}

async function defined(
  session: MongoSession,
  database: string,
  { name, type, options, uuid }: ListedCollection,
  serverVersion: string,
): Promise<FoundCollection> {
  const isView = type === 'view';
  const indexes = isView ? [] : await listIndexes(session, database, name);
  const definition: CollectionDefinition = {
    options,
    indexes,
    collectionName: name,
    type,
    ...(uuid !== undefined && { uuid }),
  };
  const namespace = { database, collection: name };
  if (isView) return { ...namespace, definition };
  const data = dataNamespaceOf({ ...namespace, type, metadata: '', size: 0 }, serverVersion);
  return { ...namespace, definition, data };
}

/** A collection that somebody drops meanwhile has none. */
async function listIndexes(
  session: MongoSession,
  database: string,
  collection: string,
): Promise<OrderedDocument[]> {
  const cursor = session.db(database).collection(collection).listIndexes({ raw: true });
  const listed: unknown[] = await session.reading(() => cursor.toArray());
  return listed.map(readBson);
}

/** The UUID of a collection as 32 hexadecimal digits; servers give it as binary, FerretDB as text. */
function hexOf(uuid: unknown): string | undefined {
  const text = typeof uuid === 'string' ? uuid : isBinary(uuid) ? uuid.toString('hex') : '';
  const digits = text.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
}

function isBinary(value: unknown): value is { toString(encoding: 'hex'): string } {
  return typeof value === 'object' && value !== null && '_bsontype' in value;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
