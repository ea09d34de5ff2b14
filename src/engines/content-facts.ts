/**
 * What is in a database, counted: taken in the dump's own snapshot for the manifest, and again from a restored copy, so
 * that the two can be compared exactly. JSON-safe; stored inside the manifest, so a change is a change of its format.
 */
export interface ContentFacts {
  /** Tables or collections that hold rows of their own, in order of `name`. Parents of partitions hold none. */
  items: ItemFacts[];
  /** Things that hold content but no rows, by engine: `large_objects`, `sequences`, … Compared exactly. */
  counters: Record<string, number>;
  schema: SchemaFacts;
}

export interface ItemFacts {
  /** Unique and unquoted, as people write it: `public.orders`, `orders`. */
  name: string;
  kind: 'table' | 'collection';
  rows: number;
  /** Size on disk as the server reports it; informative, never compared (bloat differs). */
  bytes: number;
  /** Order-independent hash of the rows, when asked for; the prefix names the method, as `pg-hash-v1:…`. */
  contentHash?: string;
  /**
   * The server deletes rows of it by itself once they are old enough (a TTL index): a copy of an old backup loses them minutes after
   * it was loaded, so fewer rows are no fault of the backup.
   */
  expires?: true;
}

/**
 * In the place of `comparableWith` when definitions were changed while a dump read them: what it holds of them cannot be told
 * exactly, so they are compared with nothing, rather than found different for ever.
 */
export const UNSETTLED_SCHEMA = 'unsettled';

export interface SchemaFacts {
  /** SHA-256 (hex) of a canonical description of every definition; comparable within one `comparableWith`. */
  digest: string;
  /** Digests of different words cannot be compared, as definitions print differently: `postgres-17`. Or `UNSETTLED_SCHEMA`. */
  comparableWith: string;
  /** How many definitions of each kind: `{ tables: 12, indexes: 30, views: 2 }`. */
  objects: Record<string, number>;
}
