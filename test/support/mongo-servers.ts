import { randomBytes } from 'node:crypto';

import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { inject, type TestContext } from 'vitest';

import { mongoUri, type MongoServer } from './mongo-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    mongoServers: MongoServer[];
  }
}

/** What only some servers can do. */
export type MongoFeature =
  | 'views'
  | 'capped collections'
  | 'time-series collections'
  | 'validators'
  | 'collations'
  | 'renaming across databases'
  | 'a database of its own for each user'
  | 'rights of single collections'
  | 'users and roles in a collection'
  | 'the oplog'
  | 'a replica set';

const OF_A_REPLICA_SET: readonly MongoFeature[] = ['the oplog', 'a replica set'];

/** The servers of this run, oldest major first; the same for every test file. Empty where none can be had. */
export function mongoServers(): MongoServer[] {
  return inject('mongoServers');
}

/** The server with the newest major, for tests that need one server and any will do. */
export function newestMongoServer(): MongoServer {
  const newest = mongoServers().at(-1);
  if (newest === undefined)
    throw new Error('no MongoDB server could be started for this run; its output says why');
  return newest;
}

/** Skips the test, with the reason, on a server that cannot do what it needs. */
export function needs(context: TestContext, server: MongoServer, ...features: MongoFeature[]): void {
  for (const feature of features) {
    const reason = whyWithout(server, feature);
    context.skip(reason !== undefined, reason);
  }
}

function whyWithout(server: MongoServer, feature: MongoFeature): string | undefined {
  if (server.isFerretDb) return `FerretDB, the stand-in for mongo:${server.major}, does not have ${feature}`;
  if (server.replicaSet === undefined && OF_A_REPLICA_SET.includes(feature))
    return `mongo:${server.major} of this run is a standalone server, without ${feature}`;
  return undefined;
}

/** A client of the superuser. `await using` closes it; otherwise the caller does. */
export async function connectMongo(
  server: MongoServer,
  options: MongoClientOptions = {},
): Promise<MongoClient> {
  const auth = { username: server.username, password: server.password };
  return await MongoClient.connect(mongoUri(server), {
    auth,
    appName: 'backstop tests',
    serverSelectionTimeoutMS: 10_000,
    ...options,
  });
}

/** A database of a test's own, with a client. `await using` drops it and closes the client. */
export interface FreshMongoDatabase extends AsyncDisposable {
  name: string;
  db: Db;
  client: MongoClient;
  drop(): Promise<void>;
}

/**
 * A name that no other test knows; the database is there once something is written. `namePrefix` may hold anything that a
 * database name may: no slash, backslash, dot, blank, quote, dollar sign; a random end is added.
 */
export async function freshMongoDatabase(
  server: MongoServer,
  namePrefix: string,
): Promise<FreshMongoDatabase> {
  const name = `${namePrefix}_${randomBytes(4).toString('hex')}`;
  if (Buffer.byteLength(name) > 63) throw new Error(`"${name}" is longer than 63 bytes`);
  const client = await connectMongo(server);
  const db = client.db(name);
  const drop = async (): Promise<void> => {
    await db.dropDatabase();
  };
  const dispose = async (): Promise<void> => {
    try {
      await drop();
    } finally {
      await client.close();
    }
  };
  return { name, db, client, drop, [Symbol.asyncDispose]: dispose };
}
