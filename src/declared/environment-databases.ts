import type { DatabaseRequest } from '../databases/database-edits.js';
import type { EngineKind } from '../engines/engine.js';

/** Variables begin with the prefix: `POSTGRES_HOST`, … */
const KINDS: readonly { prefix: string; engine: EngineKind }[] = [
  { prefix: 'POSTGRES', engine: 'postgres' },
  { prefix: 'MONGO', engine: 'mongodb' },
];

/** A database that the service's own environment names. */
export interface EnvironmentDatabase {
  /** Of its variables, without the `_HOST`. */
  prefix: string;
  request: DatabaseRequest;
}

type Get = (name: string) => string | undefined;

/**
 * The databases that the environment names, so that one container needs no request to begin with. User and password stay in the
 * environment: the requests name their variables, so that a changed password counts at once.
 */
export function environmentDatabases(get: Get): EnvironmentDatabase[] {
  return KINDS.flatMap(({ prefix, engine }) => {
    const request = requestOf(prefix, engine, get);
    return request === undefined ? [] : [{ prefix, request }];
  });
}

/** What the variables ask for; undefined unless both the host and the database are named. */
export function requestOf(prefix: string, engine: EngineKind, get: Get): DatabaseRequest | undefined {
  const host = get(`${prefix}_HOST`);
  const databaseName = get(`${prefix}_DB`);
  if (host === undefined || databaseName === undefined) return undefined;
  const port = get(`${prefix}_PORT`);
  const varIfSet = (name: string): string | undefined => (get(name) === undefined ? undefined : name);
  return {
    name: registeredName(databaseName),
    engine,
    connection: {
      host,
      databaseName,
      // What is no number is refused by the rule for ports.
      port: port === undefined ? undefined : Number(port),
      usernameVar: varIfSet(`${prefix}_USER`),
      passwordVar: varIfSet(`${prefix}_PASSWORD`),
    },
    tls: {},
    options: {},
  };
}

/** A server allows any name for a database; ours stands in paths and labels. */
function registeredName(databaseName: string): string {
  return databaseName.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 63);
}
