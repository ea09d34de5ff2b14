import type { SwapNames } from '../engine.js';
import { SwapUnsupportedError } from './mongo.errors.js';
import { isOfServer, isWanted, listCollections, RESTORE_MARKER, SWAP_JOURNAL } from './mongo-collections.js';
import type { MongoSession } from './mongo-session.js';
import type { Movable, Mover, SwapJournal } from './mongo-swap.js';

/** Names of no collection, to ask whether a server knows the command at all. */
const NOBODY = 'backstop.no_such_collection';
/** A server that knows how to rename across databases misses the collection; one that does not says so first. */
const NAMESPACE_NOT_FOUND = 26;
/** Ours, for what a server says that knows no such command, or not with these names. */
const REFUSALS = new Set<unknown>(['query-failed', 'name-refused']);

/**
 * Asks a server whether it can rename collections into another database, without touching anything.
 * @throws SwapUnsupportedError, `permission-denied`
 */
export async function mustRenameAcross(session: MongoSession, database: string): Promise<void> {
  const rename = { renameCollection: `${database}.${NOBODY}`, to: `${database}_.${NOBODY}` };
  try {
    await session.reading(() => session.db('admin').command(rename));
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === NAMESPACE_NOT_FOUND) return;
    if (error instanceof Error && 'code' in error && !REFUSALS.has(error.code)) throw error;
    throw new SwapUnsupportedError(
      session.connection,
      error instanceof Error ? error.message : String(error),
    );
  }
}

/** @throws SwapUnsupportedError when one of the databases holds what the server never renames */
export async function mustBeMovable(
  session: MongoSession,
  { live, fresh }: Pick<SwapNames, 'live' | 'fresh'>,
): Promise<void> {
  for (const database of [live, fresh]) {
    for (const { name, type } of await listCollections(session, database)) {
      if (type === 'timeseries' || name === 'system.js') {
        throw new SwapUnsupportedError(
          session.connection,
          `${database}.${name} (${type}) is never renamed by MongoDB`,
        );
      }
    }
  }
}

/** Moves collections on a real server. */
export class MongoMover implements Mover {
  readonly #session: MongoSession;

  constructor(session: MongoSession) {
    this.#session = session;
  }

  async list(database: string): Promise<Movable[]> {
    const listed = await listCollections(this.#session, database);
    return listed
      .filter(({ name }) => isWanted(name, name, {}))
      .map(({ name, type }) => ({ name, kind: type === 'view' ? 'view' : 'collection' }));
  }

  async move({ name, kind }: Movable, from: string, to: string, newName: string): Promise<void> {
    if (kind === 'view') return this.#moveView(name, from, to, newName);
    await this.#session.command('admin', { renameCollection: `${from}.${name}`, to: `${to}.${newName}` });
  }

  async readJournal(database: string): Promise<SwapJournal | undefined> {
    const journal = await this.#session.reading(() =>
      this.#session
        .db(database)
        .collection<SwapJournal>(SWAP_JOURNAL)
        .findOne({}, { projection: { _id: 0 } }),
    );
    return journal ?? undefined;
  }

  async writeJournal(database: string, journal: SwapJournal): Promise<void> {
    await this.#session.reading(() =>
      this.#session
        .db(database)
        .collection<SwapJournal>(SWAP_JOURNAL)
        .insertOne({ ...journal }),
    );
  }

  async dropJournal(database: string): Promise<void> {
    for (const name of [RESTORE_MARKER, SWAP_JOURNAL]) {
      await this.#session.reading(() => this.#session.db(database).dropCollection(name));
    }
    // `system.views` outlives the last view, and with it a database that nobody knows.
    const left = await listCollections(this.#session, database);
    if (left.every(({ name }) => isOfServer(name)))
      await this.#session.command(database, { dropDatabase: 1 });
  }

  /** A view is a definition: it is made under the new name, and then dropped under the old one. */
  async #moveView(name: string, from: string, to: string, newName: string): Promise<void> {
    const listed = await listCollections(this.#session, from);
    const view = listed.find((one) => one.name === name);
    if (view === undefined) return;
    await this.#session.command(to, { create: newName, ...Object.fromEntries(view.options) });
    await this.#session.reading(() => this.#session.db(from).dropCollection(name));
  }
}
