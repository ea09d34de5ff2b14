import type { RestoreOutcome } from '../engine.js';
import { TablesUnknownError } from '../tools.errors.js';
import {
  type ArchivePrelude,
  type CollectionEntry,
  dataNamespaceOf,
  nameOf,
  type Namespace,
} from './archive/archive.js';
import { type CollectionDefinition, readDefinition } from './archive/definition.js';
import { isWanted } from './mongo-collections.js';
import { SeveralDatabasesError } from './mongo.errors.js';

/** A collection or view of an archive that is to be made. */
export interface PlannedCollection {
  entry: CollectionEntry;
  definition: CollectionDefinition;
  kind: 'collection' | 'time-series' | 'view';
}

/** What of an archive is loaded. */
export interface LoadPlan {
  /** The one database of the archive that is loaded. Undefined when the archive holds none. */
  database: string | undefined;
  /** Collections before views. */
  collections: readonly PlannedCollection[];
  /** Full names of the archive's namespaces whose documents are loaded. */
  namespaces: ReadonlySet<string>;
  notes: string[];
}

/**
 * Decides what of an archive is loaded into one database. Pure.
 * @param items collections by the names of the manifest: with their database where the archive holds several. Absent: all
 * @throws TablesUnknownError, SeveralDatabasesError
 */
export function planLoad(prelude: ArchivePrelude, items?: readonly string[]): LoadPlan {
  const ofPeople = prelude.entries.filter(
    ({ database, collection }) => database !== '' && isWanted('', collection, {}),
  );
  const chosen = items === undefined ? ofPeople : chooseEntries(ofPeople, items);
  const databases = [...new Set(chosen.map(({ database }) => database))];
  if (databases.length > 1) throw new SeveralDatabasesError(databases);
  const collections = chosen
    .map(planned)
    .toSorted((a, b) => Number(a.kind === 'view') - Number(b.kind === 'view'));
  const namespaces = chosen.map((entry) => nameOf(dataNamespaceOf(entry, prelude.header.serverVersion)));
  return { database: databases[0], collections, namespaces: new Set(namespaces), notes: notesOn(prelude) };
}

/** What a restore tells of a plan that was carried out. */
export function outcomeOf(
  plan: LoadPlan,
  items: readonly string[] | undefined,
): Omit<RestoreOutcome, 'tool'> {
  const loaded = plan.collections.filter(({ kind }) => kind !== 'view').map(({ entry }) => entry);
  return {
    notes: plan.notes,
    itemNames: Object.fromEntries(loaded.map((entry) => [nameOf(entry), entry.collection])),
    ...(items !== undefined && {
      items: loaded.map(({ collection }) => collection).toSorted(),
      emptyItems: [],
    }),
  };
}

/** The place in the target of a namespace of the archive. */
export function placeOf({ collection }: Namespace, target: string): Namespace {
  return { database: target, collection };
}

function chooseEntries(
  entries: readonly CollectionEntry[],
  items: readonly string[],
): readonly CollectionEntry[] {
  const isOne = new Set(entries.map(({ database }) => database)).size <= 1;
  const itemOf = (entry: CollectionEntry): string[] =>
    isOne ? [entry.collection, nameOf(entry)] : [nameOf(entry)];
  const chosen = entries.filter((entry) => itemOf(entry).some((name) => items.includes(name)));
  const known = new Set(chosen.flatMap(itemOf));
  const unknown = items.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new TablesUnknownError(unknown, 'the archive');
  return chosen;
}

function planned(entry: CollectionEntry): PlannedCollection {
  const definition = readDefinition(entry);
  const type = definition.type ?? entry.type;
  const isView = type === 'view' || definition.options.has('viewOn');
  const isTimeSeries = type === 'timeseries' || definition.options.has('timeseries');
  // A time-series collection says of itself that it is a view on its buckets in some versions.
  return { entry, definition, kind: isTimeSeries ? 'time-series' : isView ? 'view' : 'collection' };
}

function notesOn({ entries }: ArchivePrelude): string[] {
  const notes: string[] = [];
  if (entries.some(({ database, collection }) => database === '' && collection === 'oplog')) {
    notes.push('The oplog in the archive was not replayed: it belongs to the whole server.');
  }
  const isOfUsers = ({ collection }: CollectionEntry): boolean => collection.startsWith('$admin.system.');
  if (entries.some(isOfUsers)) {
    notes.push(
      'The archive also holds the users and roles of its database, which were not restored. ' +
        'mongorestore --restoreDbUsersAndRoles does that.',
    );
  }
  return notes;
}
