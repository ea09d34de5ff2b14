import { ArchiveUnreadableError } from '../../tools.errors.js';
import type { CollectionEntry } from './archive.js';
import {
  isOrderedDocument,
  type OrderedDocument,
  readExtendedJson,
  writeExtendedJson,
} from './ordered-document.js';

/** How a collection or view is made: what an entry of the prelude holds as text. */
export interface CollectionDefinition {
  /** As `listCollections` gives them: validator, capped, timeseries, collation, viewOn, pipeline, … */
  options: OrderedDocument;
  /** As `listIndexes` gives them, the one on `_id` included. Empty for views. */
  indexes: readonly OrderedDocument[];
  /** 32 hexadecimal digits. Absent for views. */
  uuid?: string;
  collectionName: string;
  /** `collection`, `view`, `timeseries`; absent in archives of old tools. */
  type?: string;
}

/**
 * Reads an entry's `metadata`, numbers as the BSON types that they were. Throws `archive-unreadable` when it is no such text.
 */
export function readDefinition(entry: CollectionEntry): CollectionDefinition {
  const { metadata, collection: collectionName } = entry;
  let read: unknown;
  try {
    read = metadata === '' ? new Map() : readExtendedJson(metadata);
  } catch (error) {
    throw unreadable(collectionName, error);
  }
  if (!isOrderedDocument(read)) throw unreadable(collectionName);
  const [options, indexes, uuid, type] = ['options', 'indexes', 'uuid', 'type'].map((name) => read.get(name));
  return {
    options: isOrderedDocument(options) ? options : new Map(),
    indexes: Array.isArray(indexes) ? indexes.filter(isOrderedDocument) : [],
    collectionName,
    ...(typeof uuid === 'string' && uuid !== '' ? { uuid } : {}),
    ...(typeof type === 'string' && type !== '' ? { type } : {}),
  };
}

/** The text of a definition for an entry of the prelude, as mongorestore reads it. */
export function writeDefinition(definition: CollectionDefinition): string {
  const { options, indexes, uuid, collectionName, type } = definition;
  const written: [string, unknown][] = [
    ['options', options.size > 0 ? options : undefined],
    ['indexes', indexes],
    ['uuid', uuid],
    ['collectionName', collectionName],
    ['type', type],
  ];
  return writeExtendedJson(new Map(written.filter(([, value]) => value !== undefined)));
}

function unreadable(collectionName: string, cause?: unknown): ArchiveUnreadableError {
  return new ArchiveUnreadableError(`the definition of collection "${collectionName}" cannot be read`, cause);
}
