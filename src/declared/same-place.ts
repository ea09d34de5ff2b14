import { DomainError } from '../errors/domain-error.js';
import { type ConnectedEngine, readConnection } from '../databases/connection-changes.js';
import type { DatabaseRequest } from '../databases/database-edits.js';
import { ENGINE_LIST } from '../engines/engine-list.js';
import { ENGINE_KINDS } from '../engines/engine.js';
import type { DatabaseDeclaration } from './declaration.js';

/** Whether a database of the file is the one that the environment names, under another name: the same server, and the same one there. */
export function isSamePlace({ name, engine, edits }: DatabaseDeclaration, request: DatabaseRequest): boolean {
  const kind = ENGINE_KINDS.find((each) => each === engine);
  if (kind === undefined || engine !== request.engine || name === request.name) return false;
  const [one, other] = [edits, request].map((each) => placeOf(each.connection, ENGINE_LIST[kind]));
  return one !== undefined && one === other;
}

function placeOf(connection: DatabaseRequest['connection'], engine: ConnectedEngine): string | undefined {
  try {
    const { host, port = engine.traits.defaultPort, databaseName } = readConnection(connection, engine);
    return JSON.stringify([host?.toLowerCase(), port, databaseName]);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    // What cannot be read is no place; what is wrong with it is said elsewhere.
    return undefined;
  }
}
