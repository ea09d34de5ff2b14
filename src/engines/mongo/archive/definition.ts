import { BSON } from 'mongodb';

import { ArchiveUnreadableError } from '../../tools.errors.js';
import type { CollectionEntry } from './archive.js';

/** How a collection or view is made: what an entry of the prelude holds as text. */
export interface CollectionDefinition {
  /** As `listCollections` gives them: validator, capped, timeseries, collation, viewOn, pipeline, … */
  options: BSON.Document;
  /** As `listIndexes` gives them, the one on `_id` included. Empty for views. */
  indexes: readonly BSON.Document[];
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
    read = metadata === '' ? {} : BSON.EJSON.parse(metadata, { relaxed: false });
  } catch (error) {
    throw unreadable(collectionName, error);
  }
  if (!isDocument(read)) throw unreadable(collectionName);
  const { options, indexes, uuid, type } = read;
  return {
    options: isDocument(options) ? options : {},
    indexes: Array.isArray(indexes) ? indexes.filter(isDocument) : [],
    collectionName,
    ...(typeof uuid === 'string' && uuid !== '' ? { uuid } : {}),
    ...(typeof type === 'string' && type !== '' ? { type } : {}),
  };
}

/** The text of a definition for an entry of the prelude, as mongorestore reads it. */
export function writeDefinition(definition: CollectionDefinition): string {
  const { options, indexes, uuid, collectionName, type } = definition;
  const written = {
    ...(Object.keys(options).length > 0 ? { options } : {}),
    indexes,
    ...(uuid === undefined ? {} : { uuid }),
    collectionName,
    ...(type === undefined ? {} : { type }),
  };
  return BSON.EJSON.stringify(written, { relaxed: false });
}

function isDocument(value: unknown): value is BSON.Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(collectionName: string, cause?: unknown): ArchiveUnreadableError {
  return new ArchiveUnreadableError(`the definition of collection "${collectionName}" cannot be read`, cause);
}
