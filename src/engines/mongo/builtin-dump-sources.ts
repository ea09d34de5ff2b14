import type { Document } from 'mongodb';

import {
  ARCHIVE_VERSION,
  type ArchivePrelude,
  type CollectionEntry,
  dataNamespaceOf,
  type Namespace,
} from './archive/archive.js';
import { type CollectionDefinition, writeDefinition } from './archive/definition.js';
import type { OrderedDocument } from './archive/ordered-document.js';

/** What the built-in source is to read, decided before. A `DumpPlan` is one. */
export interface BuiltInPlan {
  server: { version: string; major: number; details: { topology: string } };
  /** Empty: every database. */
  databaseName: string;
  collections: readonly (Namespace & { definition: CollectionDefinition })[];
  usersAndRoles: boolean;
}

/** One namespace of the archive, and where its documents are read. */
export interface DumpSourcePart {
  entry: CollectionEntry;
  /** As the archive names it. */
  data: Namespace;
  /** Absent for a view: it has no documents. */
  query?: { database: string; collection: string; filter?: Document };
  /** Whether the server can read it as it was at one cluster time. */
  canBeInSnapshot: boolean;
  uuid?: string;
}

/** The collections of users and roles, as mongodump names them in the folder of one database. */
const OF_USERS = ['system.users', 'system.roles', 'system.version'] as const;
/** Snapshot reads of capped collections began with this major ("Read Concern snapshot" in MongoDB's manual). */
const CAPPED_SNAPSHOTS_SINCE = 8;
/** Snapshot reads outside of transactions began with this one. */
const SNAPSHOTS_SINCE = 5;
/** Databases of the server itself, which snapshots do not cover. */
const OF_THE_SERVER = new Set(['admin', 'config', 'local']);

/** Everything that the archive will hold, in the order of the plan; users and roles last, as they are not part of any database. */
export function partsOf(plan: BuiltInPlan): DumpSourcePart[] {
  const parts = plan.collections.map((found): DumpSourcePart => {
    const { database, collection, definition } = found;
    const type = definition.type ?? 'collection';
    const entry = { database, collection, metadata: writeDefinition(definition), size: 0, type };
    const data = dataNamespaceOf(entry, plan.server.version);
    return {
      entry,
      data,
      ...(type !== 'view' && { query: data }),
      canBeInSnapshot: canBeInSnapshot(plan, database, definition.options),
      ...(definition.uuid !== undefined && { uuid: definition.uuid }),
    };
  });
  return plan.usersAndRoles
    ? [...parts, ...OF_USERS.map((name) => usersPart(plan.databaseName, name))]
    : parts;
}

/** The first document of the archive, and what it says of each part. */
export function preludeOf(
  plan: BuiltInPlan,
  parts: readonly DumpSourcePart[],
  made: { concurrentCollections: number; toolVersion: string },
): ArchivePrelude {
  const header = { ...made, formatVersion: ARCHIVE_VERSION, serverVersion: plan.server.version };
  return { header, entries: parts.map(({ entry }) => entry) };
}

/** Whether the server can read at one cluster time at all. */
export function hasSnapshots({ server }: BuiltInPlan): boolean {
  return server.details.topology !== 'standalone' && server.major >= SNAPSHOTS_SINCE;
}

function canBeInSnapshot(plan: BuiltInPlan, database: string, options: OrderedDocument): boolean {
  const isCapped = options.get('capped') === true;
  return !OF_THE_SERVER.has(database) && (!isCapped || plan.server.major >= CAPPED_SNAPSHOTS_SINCE);
}

/** Users of one database are in its folder under names of their own; those of the whole server where they are. */
function usersPart(databaseName: string, name: (typeof OF_USERS)[number]): DumpSourcePart {
  const isWhole = databaseName === '';
  const data = isWhole
    ? { database: 'admin', collection: name }
    : { database: databaseName, collection: `$admin.${name}` };
  const ofOne = !isWhole && name !== 'system.version' ? { filter: { db: databaseName } } : {};
  return {
    entry: { ...data, metadata: '', size: 0, type: '' },
    data,
    query: { database: 'admin', collection: name, ...ofOne },
    canBeInSnapshot: false,
  };
}
