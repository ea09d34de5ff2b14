import type { Readable } from 'node:stream';

import type { RestoreOutcome } from '../engine.js';
import { ArchiveUnreadableError, TargetDatabaseExistsError } from '../tools.errors.js';
import { type ArchiveEvent, nameOf } from './archive/archive.js';
import { readArchiveEvents } from './archive/archive-events.js';
import { isOrderedDocument, type OrderedDocument } from './archive/ordered-document.js';
import { type LoadPlan, outcomeOf, type PlannedCollection, placeOf, planLoad } from './archive-plan.js';
import { LoadLanes } from './load-lanes.js';
import type { MongoCall } from './mongo-call.js';
import { type MongoFacts, readServerFacts } from './mongo-server-facts.js';
import type { MongoSession } from './mongo-session.js';
import { BUILT_IN } from './mongo-tools.js';
import { insertRaw } from './raw-insert.js';

/** One insert. The driver copies it twice; and over a slow network whoever watches for a stall has to see it move. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_DOCUMENTS = 10_000;
/** Inserts under way at once, unless more workers were asked for. */
const INSERTS_AT_ONCE = 4;

/** What mongorestore leaves out of a collection's options: a new collection gets its own. */
const NOT_RESTORED_OPTIONS = ['uuid', 'autoIndexId', 'flags'];
/** What listing an index adds to what made it. */
const NOT_RESTORED_INDEX_FIELDS = ['ns', 'storageEngine'];

/**
 * Loads an archive by the driver: collections with their options first, then their documents as raw bytes in ordered batches, then
 * indexes, then views. When it fails, the collections that it made are dropped again.
 */
export async function restoreBuiltIn(
  call: MongoCall,
  bytes: Readable,
  choice: { items?: readonly string[]; jobs?: number },
): Promise<RestoreOutcome> {
  const session = await call.session();
  const server = await readServerFacts(session);
  const load = new Load(call, session, server, choice);
  try {
    return await load.run(bytes);
  } catch (error) {
    await load.undo();
    throw error;
  }
}

class Load {
  readonly #call: MongoCall;
  readonly #session: MongoSession;
  readonly #server: MongoFacts;
  readonly #items: readonly string[] | undefined;
  readonly #lanes: LoadLanes;
  readonly #target: string;
  /** Made by us, and therefore ours to drop. */
  readonly #made: string[] = [];
  readonly #capped = new Set<string>();
  #plan: LoadPlan | undefined;
  #ended = 0;

  constructor(
    call: MongoCall,
    session: MongoSession,
    server: MongoFacts,
    choice: { items?: readonly string[]; jobs?: number },
  ) {
    this.#call = call;
    this.#session = session;
    this.#server = server;
    this.#items = choice.items;
    this.#lanes = new LoadLanes(Math.max(choice.jobs ?? 1, INSERTS_AT_ONCE));
    this.#target = call.connection.databaseName;
  }

  async run(bytes: Readable): Promise<RestoreOutcome> {
    const documents = Math.min(BATCH_DOCUMENTS, this.#server.details.max_write_batch);
    try {
      for await (const event of readArchiveEvents(bytes, { documents, bytes: BATCH_BYTES })) {
        await this.#take(event);
      }
    } finally {
      await this.#lanes.settled();
    }
    await this.#lanes.done();
    const plan = this.#plan;
    if (plan === undefined) throw new ArchiveUnreadableError('it ends before it begins');
    for (const collection of plan.collections) await this.#makeIndexes(collection);
    for (const view of plan.collections.filter(({ kind }) => kind === 'view')) await this.#make(view);
    return { tool: BUILT_IN, ...outcomeOf(plan, this.#items) };
  }

  /** Drops what was made, as long as nobody can take it for a restored database. */
  async undo(): Promise<void> {
    if (this.#made.length === 0) return;
    await this.#call.undo(async (session) => {
      for (const name of this.#made.toReversed()) {
        await session.reading(() => session.db(this.#target).dropCollection(name));
      }
    });
  }

  async #take(event: ArchiveEvent): Promise<void> {
    if (event.kind === 'prelude') {
      this.#plan = planLoad(event.prelude, this.#items);
      for (const collection of this.#plan.collections) {
        if (collection.kind !== 'view') await this.#make(collection);
      }
    } else if (event.kind === 'documents') {
      if (this.#plan?.namespaces.has(nameOf(event.namespace)) !== true) return;
      const place = placeOf(event.namespace, this.#target);
      const lane = this.#capped.has(place.collection) ? place.collection : undefined;
      await this.#lanes.add(lane, async () => {
        await insertRaw(this.#session, place, event, { majority: this.#server.details.replica_set !== null });
        this.#call.life?.tell();
      });
    } else {
      this.#progress(event.content.collection);
    }
  }

  #progress(item: string): void {
    this.#ended += 1;
    const itemsTotal = this.#plan?.collections.length ?? this.#ended;
    this.#call.onProgress?.({ item, itemsDone: Math.min(this.#ended, itemsTotal), itemsTotal });
  }

  async #make({ entry, definition }: PlannedCollection): Promise<void> {
    const options = Object.fromEntries(without(definition.options, NOT_RESTORED_OPTIONS));
    try {
      await this.#session.command(this.#target, { create: entry.collection, ...options });
    } catch (error) {
      if (!(error instanceof TargetDatabaseExistsError)) throw error;
      throw new TargetDatabaseExistsError(`${this.#target}.${entry.collection}`);
    }
    this.#made.push(entry.collection);
    // Their order is a part of their content.
    if (definition.options.get('capped') === true) this.#capped.add(entry.collection);
  }

  async #makeIndexes({ entry, definition, kind }: PlannedCollection): Promise<void> {
    if (kind === 'view') return;
    const indexes = definition.indexes
      .filter((index) => !isIdIndex(index))
      .map((index) => asRequested(without(index, NOT_RESTORED_INDEX_FIELDS)));
    if (indexes.length === 0) return;
    await this.#session.command(this.#target, { createIndexes: entry.collection, indexes });
    this.#call.life?.tell();
  }
}

function without(document: OrderedDocument, names: readonly string[]): OrderedDocument {
  return new Map([...document].filter(([name]) => !names.includes(name)));
}

/**
 * A text index lists itself by the fields of its own that hold the words (`_fts`), and what it was made of as weights. MongoDB takes
 * that back as it is; FerretDB takes it for an index of everything, and refuses deep documents.
 */
function asRequested(index: OrderedDocument): OrderedDocument {
  const key = documentIn(index, 'key');
  if (key.get('_fts') !== 'text') return index;
  const words = [...documentIn(index, 'weights').keys()].map((name): [string, unknown] => [name, 'text']);
  const entries = [...key].flatMap(([name, order]): [string, unknown][] => {
    if (name === '_fts') return words;
    return name === '_ftsx' ? [] : [[name, order]];
  });
  return new Map([...index, ['key', new Map(entries)]]);
}

/** The one on `_id` comes with the collection. */
function isIdIndex(index: OrderedDocument): boolean {
  const key = documentIn(index, 'key');
  return (key.size === 1 && Number(key.get('_id')) === 1) || index.get('clustered') === true;
}

function documentIn(index: OrderedDocument, name: string): OrderedDocument {
  const value = index.get(name);
  return isOrderedDocument(value) ? value : new Map<string, unknown>();
}
