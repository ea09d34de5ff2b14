import type { Manifest } from '../archive/manifest.js';

/** One table or collection of a backup. */
export class ContentItemView {
  /**
   * As people write it: `schema.table` without quotes, or the name of the collection.
   * @example 'public.orders'
   */
  name: string;
  /**
   * What holds the rows.
   * @example 'table'
   */
  kind: 'table' | 'collection';
  /**
   * Exact, counted in the dump's own snapshot.
   * @example 60000
   */
  rows: number;
  /**
   * Size on the server's disk at the time.
   * @example 8192000
   */
  bytes: number;
  /**
   * Order-independent hash of the rows, when asked for.
   * @example 'pg-hash-v1:10a4f36b8c21d7e97e21c05d94ab3f16'
   */
  content_hash: string | null;
}

/** What a backup holds, from its manifest. */
export class BackupContentsView {
  /** Tables or collections that hold rows of their own, in order of their names. */
  items: ContentItemView[];
  /**
   * Content that is not rows. Most are numbers of something; `large_object_content` and `sequence_positions` are sums, by which two
   * databases are compared.
   * @example { "large_objects": 3 }
   */
  counters: Record<string, number>;
  /**
   * SHA-256 over every definition: two backups with the same digest have the same schema.
   * @example '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
   */
  schema_digest: string;
  /**
   * How many definitions of each kind.
   * @example { "tables": 12, "indexes": 30 }
   */
  schema_objects: Record<string, number>;
}

export function toContentsView({ content }: Manifest): BackupContentsView {
  return {
    items: content.items.map(({ name, kind, rows, bytes, contentHash }) => ({
      name,
      kind,
      rows,
      bytes,
      content_hash: contentHash ?? null,
    })),
    counters: content.counters,
    schema_digest: content.schema.digest,
    schema_objects: content.schema.objects,
  };
}
