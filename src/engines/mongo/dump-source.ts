import type { Readable } from 'node:stream';

import type { ToolFacts } from '../engine.js';
import type { FoundCollection } from './mongo-collections.js';
import type { MongoFacts } from './mongo-server-facts.js';

/**
 * What moment the collections of a dump are of. `snapshot`: all of them of one cluster time. `oplog`: what was written meanwhile is
 * in the archive too, so that replaying it gives one moment. `none`: each of a moment of its own.
 */
export type Consistency = 'snapshot' | 'oplog' | 'none';

/** What is to be dumped, decided before the first byte. */
export interface DumpPlan {
  server: MongoFacts;
  /** Empty: every database. */
  databaseName: string;
  /** In order of database and name; views among them, without `data`. */
  collections: readonly FoundCollection[];
  /** Users and roles of the database, on request. */
  usersAndRoles: boolean;
}

/**
 * An archive of mongodump's format that is being made, by the tool or by `builtin-dump.ts`. `bytes` keeps the rules of `Dump.bytes`:
 * it ends only when everything of the plan is in it, and destroying it, or aborting the call's signal, stops all that makes it.
 */
export interface DumpSource {
  bytes: Readable;
  tool: ToolFacts;
  consistency: Consistency;
  /** For the manifest: the cluster time of a snapshot, and the like. JSON-safe. */
  details?: Readonly<Record<string, unknown>>;
}
