/**
 * The archive format of `mongodump --archive`, version 0.1: what the words of this room mean. After `spec.md` in the folder
 * `common/archive` of the MongoDB Database Tools. All lengths and numbers are little-endian.
 *
 * ```
 * archive    = magic, prelude, { segment | end } ;
 * prelude    = header, { collection's entry }, terminator ;
 * segment    = namespace's header, document, { document }, terminator ;
 * end        = namespace's header with EOF and CRC, terminator ;
 * terminator = 4 bytes of ones, where the length of a document would stand ;
 * ```
 *
 * - Every piece is a BSON document, so that a reader needs only lengths: no document of a user is ever decoded.
 * - Segments of several namespaces may alternate; the documents of one namespace are those of all its segments, in order.
 * - CRC is the CRC-64 (ECMA, reflected) of all bytes of a namespace's documents. An empty namespace has an end as well.
 * - A view has an entry with its definition, and an end without documents. A time-series collection `x` has an entry `x`, and
 *   its documents are those of the namespace `system.buckets.x` (servers from 8.3 on: of `x` itself).
 * - The oplog is the collection `oplog` of the database with the empty name. Users and roles of one database are the
 *   collections `$admin.system.users`, `$admin.system.roles` and `$admin.system.version` of that database.
 * - The magic number is at the beginning only, and nothing says how long an archive is: it is whole if every namespace that the
 *   prelude lists was ended, and the last bytes were a terminator.
 */
export const ARCHIVE_MAGIC = 0x81_99_e2_6d;
export const ARCHIVE_VERSION = '0.1';
/** In place of a document's length. */
export const TERMINATOR = 0xff_ff_ff_ff;
/** An empty document: its length, and a zero. */
export const SMALLEST_DOCUMENT_BYTES = 5;
/** The largest document of a user, 16 MiB, and what servers allow themselves beyond that (the oplog, buckets). */
export const LARGEST_DOCUMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024;
/** A time-series collection's documents are in the collection of this name and its own. */
export const BUCKETS_PREFIX = 'system.buckets.';

/** A collection by its two names. `database` is empty for the oplog alone. */
export interface Namespace {
  database: string;
  collection: string;
}

/** The first document of an archive. */
export interface ArchiveHeader {
  /** Collections that were read at once; a restorer may load as many at once. */
  concurrentCollections: number;
  formatVersion: string;
  serverVersion: string;
  toolVersion: string;
}

/** What the prelude says about a collection or view. */
export interface CollectionEntry extends Namespace {
  /**
   * Options, indexes, UUID and type in canonical Extended JSON: see `readDefinition` and `writeDefinition`. Empty for the oplog,
   * users and roles.
   */
  metadata: string;
  type: string;
  size: number;
}

export interface ArchivePrelude {
  header: ArchiveHeader;
  entries: readonly CollectionEntry[];
}

/** What of one namespace was in an archive. Known once its end was read, and its CRC compared. */
export interface NamespaceContent extends Namespace {
  documents: number;
  /** Of its documents, as BSON. */
  bytes: number;
  /** See `ContentHash`, when asked for. */
  contentHash?: string;
}

/** What a whole archive held. */
export interface ArchiveContent {
  prelude: ArchivePrelude;
  /** In the order in which they ended. Views are among them, without documents. */
  namespaces: readonly NamespaceContent[];
  plainBytes: number;
}

/** The pieces of an archive, as a restore needs them; see `readArchiveEvents`. */
export type ArchiveEvent =
  | { kind: 'prelude'; prelude: ArchivePrelude }
  /** Whole documents of one namespace, one after the other in `bytes`; `count` of them. Their CRC is not known yet. */
  | { kind: 'documents'; namespace: Namespace; bytes: Uint8Array; count: number }
  /** Every document of the namespace was given, and the CRC over them is right. */
  | { kind: 'end'; content: NamespaceContent };

/** The full name, as people write it. Two namespaces are the same if these are: database names hold no dot. */
export function nameOf({ database, collection }: Namespace): string {
  return `${database}.${collection}`;
}

/** The namespace that holds the documents of an entry. */
export function dataNamespaceOf(entry: CollectionEntry, serverVersion: string): Namespace {
  const { database, collection, type } = entry;
  const isBucketed = type === 'timeseries' && !hasViewlessTimeSeries(serverVersion);
  return { database, collection: isBucketed ? `${BUCKETS_PREFIX}${collection}` : collection };
}

/** From 8.3 on the buckets of a time-series collection are read from itself, not from a collection beside it. */
export function hasViewlessTimeSeries(serverVersion: string): boolean {
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  return major > 8 || (major === 8 && minor >= 3);
}
