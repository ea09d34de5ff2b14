import { textIn } from './fields.js';
import { isWanted, listCollections, RESTORE_MARKER } from './mongo-collections.js';
import { driver } from './mongo-driver.js';
import type { MongoSession } from './mongo-session.js';

/**
 * The mark of a database that is being loaded under its final name: a collection with one document, which says for whom. Names tell
 * nothing there: while a server was away, somebody else may have made a database of the same name, and ours may never have been.
 */
interface Mark {
  /** There is one. */
  _id: 'owner';
  owner: string;
}

const KEY = 'owner';
const DUPLICATE_KEY = 11_000;

/** Makes the mark, and with it the database. Gives false when there is one already. */
export async function setOwner(session: MongoSession, database: string, owner: string): Promise<boolean> {
  return await session.reading(async () => {
    try {
      await marks(session, database).insertOne({ _id: KEY, owner });
      return true;
    } catch (error) {
      if (error instanceof driver().MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  });
}

/** Undefined for a database that is whole, or not there. */
export async function ownerOf(session: MongoSession, database: string): Promise<string | undefined> {
  const mark = await session.reading(() => marks(session, database).findOne({ _id: KEY }));
  return textIn(mark?.owner);
}

/**
 * Takes the mark off. Where there is nothing else, an empty collection stays of it: without one there would be no database, and a backup
 * of nothing is restored to something that exists.
 */
export async function dropMark(session: MongoSession, database: string): Promise<void> {
  const names = (await listCollections(session, database)).map(({ name }) => name);
  if (!names.includes(RESTORE_MARKER)) return;
  if (names.some((name) => isWanted(name, name, {}))) {
    await session.reading(() => session.db(database).dropCollection(RESTORE_MARKER));
  } else {
    await session.reading(() => marks(session, database).deleteMany({}));
  }
}

function marks(session: MongoSession, database: string) {
  return session.db(database).collection<Mark>(RESTORE_MARKER);
}
