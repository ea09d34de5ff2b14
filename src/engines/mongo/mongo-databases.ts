import type {
  Connection,
  DropOptions,
  EngineCall,
  EngineDatabases,
  NewDatabase,
  SessionReport,
  SwapNames,
} from '../engine.js';
import { DatabaseAbsentError, PermissionDeniedError } from '../engines.errors.js';
import { DatabaseInUseError, ServerTooOldError, TargetDatabaseExistsError } from '../tools.errors.js';
import { MongoCall, type MongoSurroundings } from './mongo-call.js';
import { findDatabases, isOfServer, listCollections } from './mongo-collections.js';
import { documentsIn, type Fields, textIn } from './fields.js';
import { dropMark, ownerOf, setOwner } from './restore-mark.js';
import { MongoMover, mustBeMovable, mustRenameAcross } from './mongo-mover.js';
import { readServerFacts } from './mongo-server-facts.js';
import type { MongoSession } from './mongo-session.js';
import { beginSwap, resumeSwap } from './mongo-swap.js';

/** Whole databases of a MongoDB server. There they have no life of their own: a database exists while it holds a collection. */
export class MongoDatabases implements EngineDatabases {
  readonly #surroundings: MongoSurroundings;

  constructor(surroundings: MongoSurroundings) {
    this.#surroundings = surroundings;
  }

  exists(connection: Connection, name: string, call: EngineCall): Promise<boolean> {
    return this.#withSession(connection, call, (session) => databaseExists(session, name));
  }

  /**
   * Makes the marker collection, which holds the name for its owner until a restore is done, and shows whether the user may write. Of
   * two who do so at once, one is refused: the mark has one key.
   */
  create(
    connection: Connection,
    name: string,
    { like, owner }: NewDatabase,
    call: EngineCall,
  ): Promise<void> {
    return this.#withSession(connection, call, async (session) => {
      const { major } = await readServerFacts(session);
      if (major < like.major) throw new ServerTooOldError(major, like.major);
      if (await databaseExists(session, name)) throw new TargetDatabaseExistsError(name);
      if (!(await setOwner(session, name, owner))) throw new TargetDatabaseExistsError(name);
    });
  }

  drop(
    connection: Connection,
    name: string,
    { endSessions, madeBy }: DropOptions,
    call: EngineCall,
  ): Promise<void> {
    return this.#withSession(connection, call, async (session) => {
      if (madeBy !== undefined && (await ownerOf(session, name)) !== madeBy) return;
      if (!(await databaseExists(session, name))) return;
      await mustBeUnused(session, name, endSessions);
      await session.command(name, { dropDatabase: 1 });
    });
  }

  release(connection: Connection, name: string, call: EngineCall): Promise<void> {
    return this.#withSession(connection, call, (session) => dropMark(session, name));
  }

  sessions(connection: Connection, name: string, call: EngineCall): Promise<SessionReport[]> {
    return this.#withSession(connection, call, async (session) =>
      reportOf(await readOperations(session, name)),
    );
  }

  rename(connection: Connection, name: string, newName: string, call: EngineCall): Promise<void> {
    return this.#withSession(connection, call, async (session) => {
      if (await databaseExists(session, newName)) throw new TargetDatabaseExistsError(newName);
      await mustRenameAcross(session, name);
      await mustBeMovable(session, { live: newName, fresh: name });
      await mustBeUnused(session, name, false);
      await beginSwap(new MongoMover(session), { fresh: name, live: newName, keepAs: null });
    });
  }

  checkSwap(connection: Connection, name: string, call: EngineCall): Promise<void> {
    return this.#withSession(connection, call, (session) => mustRenameAcross(session, name));
  }

  /** See `beginSwap` for the steps, and for what a crash between them leaves. */
  swap(
    connection: Connection,
    names: SwapNames,
    options: { endSessions: boolean },
    call: EngineCall,
  ): Promise<void> {
    return this.#withSession(connection, call, async (session) => {
      if (!(await databaseExists(session, names.live))) throw new DatabaseAbsentError(connection, names.live);
      if (await databaseExists(session, names.keepAs)) throw new TargetDatabaseExistsError(names.keepAs);
      await mustRenameAcross(session, names.live);
      await mustBeMovable(session, names);
      await mustBeUnused(session, names.live, options.endSessions);
      await beginSwap(new MongoMover(session), names);
    });
  }

  settleSwap(
    connection: Connection,
    { live, fresh, keepAs }: Omit<SwapNames, 'keepAs'> & { keepAs: string | null },
    call: EngineCall,
  ): Promise<'swapped' | 'untouched'> {
    return this.#withSession(connection, call, async (session) => {
      if (await resumeSwap(new MongoMover(session), fresh)) return 'swapped';
      if (await holdsAnything(session, fresh)) return 'untouched';
      return (await databaseExists(session, keepAs ?? live)) ? 'swapped' : 'untouched';
    });
  }

  async #withSession<T>(
    connection: Connection,
    engineCall: EngineCall,
    work: (session: MongoSession) => Promise<T>,
  ): Promise<T> {
    await using call = new MongoCall(connection, engineCall, this.#surroundings);
    return await work(await call.session());
  }
}

/** A user who may not list databases may still list the collections of his own. */
export async function databaseExists(session: MongoSession, name: string): Promise<boolean> {
  try {
    if ((await findDatabases(session)).includes(name)) return true;
  } catch (error) {
    if (!(error instanceof PermissionDeniedError)) throw error;
  }
  return (await listCollections(session, name)).length > 0;
}

/** Whether there is more than what the server keeps for itself: `system.views` outlives the last view. */
async function holdsAnything(session: MongoSession, name: string): Promise<boolean> {
  return (await listCollections(session, name)).some((one) => !isOfServer(one.name));
}

/** An operation of somebody else in a database, as `$currentOp` tells it. */
interface Operation {
  opid: unknown;
  user: string;
  application: string;
  client: string;
}

/**
 * Operations in a database that are under way. MongoDB's connections belong to no database, so an idle application is not seen here.
 * Empty where the user may not see what others do.
 */
async function readOperations(session: MongoSession, name: string): Promise<Operation[]> {
  let found: Fields[];
  try {
    const pipeline = [{ $currentOp: { allUsers: true, idleConnections: false } }];
    found = documentsIn(await session.reading(() => session.db('admin').aggregate(pipeline).toArray()));
  } catch (error) {
    if (error instanceof PermissionDeniedError) return [];
    throw error;
  }
  return found
    .filter((one) => textIn(one['ns'])?.startsWith(`${name}.`))
    .map((one) => ({
      opid: one['opid'],
      user: textIn(documentsIn(one['effectiveUsers'])[0]?.['user']) ?? '',
      application: textIn(one['appName']) ?? '',
      client: (textIn(one['client']) ?? 'local').replace(/:\d+$/, ''),
    }))
    .filter(({ application }) => !application.startsWith('backstop '));
}

function reportOf(operations: readonly Operation[]): SessionReport[] {
  const groups = new Map<string, SessionReport>();
  for (const { user, application, client } of operations) {
    const key = JSON.stringify([user, application, client]);
    const group = groups.get(key) ?? { user, application, client, count: 0 };
    group.count += 1;
    groups.set(key, group);
  }
  return [...groups.values()];
}

async function mustBeUnused(session: MongoSession, name: string, endSessions: boolean): Promise<void> {
  const operations = await readOperations(session, name);
  if (operations.length === 0) return;
  if (!endSessions) throw new DatabaseInUseError(name, reportOf(operations));
  for (const { opid } of operations) await session.command('admin', { killOp: 1, op: opid });
}
