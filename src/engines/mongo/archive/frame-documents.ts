import type { BSON } from 'mongodb';

import { ArchiveUnreadableError } from '../../tools.errors.js';
import { driver } from '../mongo-driver.js';
import { ARCHIVE_VERSION, type ArchiveHeader, type CollectionEntry, type Namespace } from './archive.js';

/**
 * The documents of the format itself, to and from BSON. Those of users are never decoded. What reads them is strict: the format
 * has no checksum over them, so a field that is wrong in any way is damage.
 */

/** What stands before the documents of a namespace, and at its end. */
export interface NamespaceHeader extends Namespace {
  /** The namespace has no more documents. */
  isEnd: boolean;
  /** Of all its documents; 0 unless at the end. */
  crc: bigint;
}

/** Reads the first document of an archive. Throws `archive-unreadable`. */
export function parseHeader(bytes: Uint8Array): ArchiveHeader {
  const fields = decode(bytes, 'header', [
    'concurrent_collections',
    'version',
    'server_version',
    'tool_version',
  ]);
  const { concurrent_collections: concurrentCollections } = fields;
  const formatVersion = text(fields, 'version', 'header');
  if (typeof concurrentCollections !== 'number') throw wrongField('concurrent_collections', 'header');
  if (formatVersion !== ARCHIVE_VERSION)
    throw new ArchiveUnreadableError(
      `its format has the version "${formatVersion}", which is not known here`,
    );
  return {
    concurrentCollections,
    formatVersion,
    serverVersion: text(fields, 'server_version', 'header'),
    toolVersion: text(fields, 'tool_version', 'header'),
  };
}

/** Reads what the prelude says of one collection. Throws `archive-unreadable`. */
export function parseEntry(bytes: Uint8Array): CollectionEntry {
  const what = 'entry of a collection';
  const fields = decode(bytes, what, ['db', 'collection', 'metadata', 'size', 'type']);
  const { size } = fields;
  if (typeof size !== 'number' && typeof size !== 'bigint') throw wrongField('size', what);
  return {
    database: text(fields, 'db', what),
    collection: text(fields, 'collection', what),
    metadata: text(fields, 'metadata', what),
    type: text(fields, 'type', what),
    size: Number(size),
  };
}

/** Throws `archive-unreadable`. */
export function parseNamespaceHeader(bytes: Uint8Array): NamespaceHeader {
  const what = "namespace's header";
  const fields = decode(bytes, what, ['db', 'collection', 'EOF', 'CRC']);
  const { EOF: isEnd, CRC: crc } = fields;
  if (typeof isEnd !== 'boolean') throw wrongField('EOF', what);
  if (typeof crc !== 'bigint' || (!isEnd && crc !== 0n)) throw wrongField('CRC', what);
  return {
    database: text(fields, 'db', what),
    collection: text(fields, 'collection', what),
    isEnd,
    crc,
  };
}

export function headerBytes(header: ArchiveHeader): Uint8Array {
  const { Int32, serialize } = driver().BSON;
  return serialize({
    concurrent_collections: new Int32(header.concurrentCollections),
    version: header.formatVersion,
    server_version: header.serverVersion,
    tool_version: header.toolVersion,
  });
}

export function entryBytes(entry: CollectionEntry): Uint8Array {
  const { Int32, serialize } = driver().BSON;
  return serialize({
    db: entry.database,
    collection: entry.collection,
    metadata: entry.metadata,
    size: new Int32(entry.size),
    type: entry.type,
  });
}

export function namespaceHeaderBytes(header: NamespaceHeader): Uint8Array {
  return driver().BSON.serialize({
    db: header.database,
    collection: header.collection,
    EOF: header.isEnd,
    CRC: header.crc,
  });
}

function decode(bytes: Uint8Array, what: string, names: readonly string[]): BSON.Document {
  let fields: BSON.Document;
  try {
    fields = driver().BSON.deserialize(bytes, { useBigInt64: true, allowObjectSmallerThanBufferSize: false });
  } catch (error) {
    throw new ArchiveUnreadableError(`a ${what} cannot be decoded`, error);
  }
  const missing = names.find((name) => !Object.hasOwn(fields, name));
  if (missing !== undefined) throw wrongField(missing, what);
  return fields;
}

function text(fields: BSON.Document, name: string, what: string): string {
  const value: unknown = fields[name];
  if (typeof value !== 'string') throw wrongField(name, what);
  return value;
}

function wrongField(name: string, what: string): ArchiveUnreadableError {
  return new ArchiveUnreadableError(`the field "${name}" of a ${what} is not what it must be`);
}
