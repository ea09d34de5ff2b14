import { type EntityManager, MoreThan } from 'typeorm';

import { violatesUnique } from '../catalog/write-errors.js';
import { isId, isName } from './connection-rules.js';
import { Database } from './database.entity.js';
import { DatabaseNameTakenError, DatabaseNotFoundError } from './databases.errors.js';

/** The database with this id or name. A name never looks like an id. @throws DatabaseNotFoundError */
export async function requireDatabase(entities: EntityManager, idOrName: string): Promise<Database> {
  const found = await entities.findOneBy(Database, identity(idOrName));
  if (!found) throw new DatabaseNotFoundError(idOrName);
  return found;
}

/** The same, or null when there is none. */
export async function findDatabase(entities: EntityManager, idOrName: string): Promise<Database | null> {
  return isId(idOrName) || isName(idOrName) ? entities.findOneBy(Database, identity(idOrName)) : null;
}

/**
 * The same, held to the end of the transaction: meanwhile nobody else changes or removes it. Whoever makes something that
 * belongs to a database begins with this, or it may belong to nothing a moment later.
 *
 * @throws DatabaseNotFoundError
 */
export async function holdDatabase(tx: EntityManager, idOrName: string): Promise<Database> {
  // An update of nothing takes the row's lock on every dialect; `FOR UPDATE` is not known to SQLite.
  const hold = tx
    .createQueryBuilder()
    .update(Database)
    .set({ name: () => 'name' });
  const { affected } = await hold.where(identity(idOrName)).execute();
  if (affected === 0) throw new DatabaseNotFoundError(idOrName);
  return requireDatabase(tx, idOrName);
}

/** The same, held, or null when there is none of this name. */
export async function holdDatabaseNamed(tx: EntityManager, name: string): Promise<Database | null> {
  return (await tx.existsBy(Database, { name })) ? holdDatabase(tx, name) : null;
}

/** The database that a request with this idempotency key has registered, however long ago. */
export async function databaseOfKey(entities: EntityManager, key: string): Promise<Database | null> {
  return entities.findOneBy(Database, { idempotencyKey: key });
}

/** The unique name decides, not a look beforehand: of two at once one is told. @throws DatabaseNameTakenError */
export async function insertDatabase(tx: EntityManager, database: Database): Promise<void> {
  await unlessNameTaken(database.name, tx.insert(Database, database));
}

/** Writes every column of a row that is held. @throws DatabaseNameTakenError */
export async function updateDatabase(tx: EntityManager, database: Database): Promise<void> {
  const { id, ...columns } = database;
  await unlessNameTaken(database.name, tx.update(Database, { id }, columns));
}

/** At most `take` databases in order of their names, from the one after `after` on, and how many there are in all. */
export async function listDatabases(
  entities: EntityManager,
  page: { take: number; after?: string | undefined },
): Promise<{ rows: Database[]; total: number }> {
  const where = page.after === undefined ? {} : { name: MoreThan(page.after) };
  const rows = await entities.find(Database, { where, order: { name: 'ASC' }, take: page.take });
  return { rows, total: await entities.count(Database) };
}

/** A text that can be neither is not looked for: PostgreSQL does not even take all of them (NUL). */
function identity(idOrName: string): { id: string } | { name: string } {
  if (isId(idOrName)) return { id: idOrName.toLowerCase() };
  if (isName(idOrName)) return { name: idOrName };
  throw new DatabaseNotFoundError(idOrName);
}

async function unlessNameTaken(name: string, writing: Promise<unknown>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    throw violatesUnique(error, 'databases', 'name') ? new DatabaseNameTakenError(name) : error;
  }
}
