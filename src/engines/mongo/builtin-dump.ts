import type { Readable } from 'node:stream';

import type { BSON, Document, MongoClient } from 'mongodb';

import type { Clock } from '../../clock/clock.js';
import type { EngineCall, ToolFacts } from '../engine.js';
import { ArchiveWriter } from './archive/archive-writer.js';
import { nameOf } from './archive/archive.js';
import {
  type BuiltInPlan,
  type DumpSourcePart,
  hasSnapshots,
  partsOf,
  preludeOf,
} from './builtin-dump-sources.js';
import { CollectionsChangedError, readServerError } from './builtin-dump.errors.js';
import { type Feed, FedReadable } from './fed-readable.js';
import { driver } from './mongo-driver.js';
import { BUILT_IN } from './mongo-tools.js';
import { RawCursor, type RawQuery } from './raw-cursor.js';

/** Collections that are read at once, each with two batches in memory. As many as mongodump reads unless told otherwise. */
const CONCURRENT_COLLECTIONS = 4;

/** A call of the engine, as far as it is needed here. */
export interface BuiltInCall {
  signal: AbortSignal;
  clock: Clock;
  onProgress?: EngineCall['onProgress'];
  log(line: string): void;
}

/** A session with the server, as far as it is needed here. */
export interface BuiltInSession {
  /** Speaks to one server, or reads from the primary; see `RawCursor`. */
  client: MongoClient;
  /** Runs what uses the driver, and translates its errors. */
  reading<T>(work: () => Promise<T>): Promise<T>;
}

/** An archive in the making; a `DumpSource`. */
export interface BuiltInDump {
  /** Keeps the rules of `Dump.bytes`. */
  bytes: Readable;
  tool: ToolFacts;
  /** `snapshot`: every collection is of one cluster time. `none`: each is of a time of its own. */
  consistency: 'snapshot' | 'none';
  details: Readonly<Record<string, unknown>>;
}

/**
 * Opens a dump over the driver alone: raw documents from the wire into the frames of an archive, several collections at once, as fast
 * as `bytes` is read. On replica sets and sharded clusters all collections are read at one cluster time; those that the server
 * cannot read so are named in `details.outside_snapshot`, and make the whole `none`.
 *
 * Rejects with what `session.reading` makes of the driver's errors. The stream fails with those as well, with `history-too-short`, or
 * with `collections-changed`.
 */
export async function openBuiltInDump(
  call: BuiltInCall,
  session: BuiltInSession,
  plan: BuiltInPlan,
): Promise<BuiltInDump> {
  const parts = partsOf(plan);
  const clusterTime = hasSnapshots(plan) ? await findClusterTime(call, session, parts) : undefined;
  const outside = parts.filter((part) => !isIn(part, clusterTime) && !isOfUsers(part));
  const dump = new BuiltInDumping(call, session, plan, parts, clusterTime);
  return {
    bytes: new FedReadable((feed) => dump.run(feed), call.signal),
    tool: BUILT_IN,
    consistency: hasSnapshots(plan) && outside.length === 0 ? 'snapshot' : 'none',
    details: clusterTime === undefined ? {} : describeSnapshot(clusterTime, outside),
  };
}

/** The moment of the dump: the one of which the server answers the first question that leaves it the choice. */
async function findClusterTime(
  call: BuiltInCall,
  session: BuiltInSession,
  parts: readonly DumpSourcePart[],
): Promise<BSON.Timestamp | undefined> {
  const query = parts.find((part) => part.canBeInSnapshot && part.query !== undefined)?.query;
  if (query === undefined) return undefined;
  return await session.reading(async () => {
    const cursor = await RawCursor.open(
      session.client,
      { ...query, readConcern: { level: 'snapshot' } },
      call,
    );
    await cursor.close();
    return cursor.clusterTime;
  });
}

/** For the manifest. */
function describeSnapshot(
  { t: seconds, i: increment }: BSON.Timestamp,
  outside: readonly DumpSourcePart[],
): BuiltInDump['details'] {
  return {
    cluster_time: { seconds, increment },
    outside_snapshot: outside.map(({ entry }) => nameOf(entry)),
  };
}

function isIn({ query, canBeInSnapshot }: DumpSourcePart, clusterTime: BSON.Timestamp | undefined): boolean {
  return query === undefined || (canBeInSnapshot && clusterTime !== undefined);
}

/** Users and roles belong to the server, not to the content of a database. */
function isOfUsers({ entry }: DumpSourcePart): boolean {
  return entry.metadata === '';
}

/** One dump while its archive is written. */
class BuiltInDumping {
  readonly #writer = new ArchiveWriter();
  readonly #toDo: DumpSourcePart[];
  #itemsDone = 0;

  constructor(
    private readonly call: BuiltInCall,
    private readonly session: BuiltInSession,
    private readonly plan: BuiltInPlan,
    private readonly parts: readonly DumpSourcePart[],
    private readonly clusterTime: BSON.Timestamp | undefined,
  ) {
    this.#toDo = [...parts];
  }

  /** Resolves only when every part was read to its end. The first failure stops the others. */
  async run(feed: Feed): Promise<void> {
    const toolVersion = `backstop ${BUILT_IN.version}`;
    const made = { concurrentCollections: CONCURRENT_COLLECTIONS, toolVersion };
    await feed.write(() => this.#writer.prelude(preludeOf(this.plan, this.parts, made)));
    const lanes = Array.from({ length: CONCURRENT_COLLECTIONS }, () => this.#readParts(feed));
    // Each of them has to end before the stream may close, also when one has failed.
    await Promise.allSettled(lanes);
    feed.signal.throwIfAborted();
  }

  async #readParts(feed: Feed): Promise<void> {
    try {
      for (let part = this.#toDo.shift(); part !== undefined; part = this.#toDo.shift())
        await this.#readPart(part, feed);
    } catch (error) {
      feed.fail(error);
      throw error;
    }
  }

  async #readPart(part: DumpSourcePart, feed: Feed): Promise<void> {
    const { data, query } = part;
    const isEmpty = query === undefined || (await this.#readDocuments(part, query, feed));
    if (query !== undefined) await this.#mustBeThere(part, isEmpty, feed.signal);
    await feed.write(() => this.#writer.end(data));
    this.#itemsDone += 1;
    const { database, collection } = part.entry;
    const item = this.plan.databaseName === '' ? `${database}.${collection}` : collection;
    this.call.onProgress?.({ item, itemsDone: this.#itemsDone, itemsTotal: this.parts.length });
  }

  /** Whether there were none. */
  async #readDocuments(part: DumpSourcePart, query: RawQuery, feed: Feed): Promise<boolean> {
    const asked = { ...query, ...this.#readConcernOf(part) };
    let cursor: RawCursor | undefined;
    let isEmpty = true;
    const { client } = this.session;
    try {
      cursor = await this.#reading(part, () =>
        RawCursor.open(client, asked, { clock: this.call.clock, signal: feed.signal }),
      );
      for (;;) {
        const opened = cursor;
        const batch = await this.#reading(part, () => opened.next());
        if (batch === undefined) return isEmpty;
        isEmpty &&= batch.count === 0;
        await feed.write(() => this.#writer.documents(part.data, batch.documents));
      }
    } finally {
      await cursor?.close();
    }
  }

  #readConcernOf(part: DumpSourcePart): Pick<RawQuery, 'readConcern'> {
    if (this.clusterTime === undefined || !part.canBeInSnapshot) return {};
    return { readConcern: { level: 'snapshot', atClusterTime: this.clusterTime } };
  }

  /** What the server says of a snapshot or collection that is gone becomes an error with a name of its own. */
  async #reading<T>({ data }: DumpSourcePart, work: () => Promise<T>): Promise<T> {
    return await this.session.reading(async () => {
      try {
        return await work();
      } catch (error) {
        throw readServerError(error, nameOf(data));
      }
    });
  }

  /**
   * A server answers for a collection that is not there as for an empty one, and FerretDB ends a cursor whose collection is dropped
   * meanwhile as if everything had been read. One that somebody dropped before its turn is none of the dump's any more; one that was
   * read in part, or that has another name now and would be missing in the archive, means that the dump must be made again.
   */
  async #mustBeThere({ entry, uuid }: DumpSourcePart, isEmpty: boolean, signal: AbortSignal): Promise<void> {
    const isInSnapshot = this.clusterTime !== undefined;
    // What was found in a snapshot is of its moment, whatever became of the collection since. Servers before 7.0 look for a collection by
    // the name that it has now, and answer for one that was renamed or dropped meanwhile as for an empty one.
    if (uuid === undefined || (isInSnapshot && !isEmpty)) return;
    const { database, collection } = entry;
    const find = async (filter: Document): Promise<string | undefined> => {
      const listed = this.session.client.db(database).listCollections(filter, { signal });
      const found = await this.session.reading(() => listed.toArray());
      return found.find((one) => uuidOf(one) === uuid)?.name;
    };
    if ((await find({ name: collection })) !== undefined) return;
    const now = await find({});
    if (now !== undefined) throw new CollectionsChangedError(nameOf(entry), `was renamed to "${now}"`);
    if (!isEmpty || isInSnapshot) throw new CollectionsChangedError(nameOf(entry), 'was dropped');
    this.call.log(`backstop: ${nameOf(entry)} was dropped by somebody, and is empty in the dump`);
  }
}

/** 32 hexadecimal digits. Servers give it as binary, FerretDB may as text. */
function uuidOf(listed: { name: string; info?: { uuid?: unknown } | undefined }): string | undefined {
  const uuid = listed.info?.uuid;
  const text =
    uuid instanceof driver().BSON.Binary ? uuid.toString('hex') : typeof uuid === 'string' ? uuid : undefined;
  return text?.replaceAll('-', '').toLowerCase();
}
