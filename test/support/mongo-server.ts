/** The images that tests run on, oldest major first. The second one is a replica set of one member, where it can be one. */
export const MONGO_IMAGES = [
  { major: 7, isReplicaSet: false },
  { major: 8, isReplicaSet: true },
] as const;

/** Name of the replica set. */
export const REPLICA_SET = 'rs0';

/** Account of every test server's superuser. The server listens where only this machine reaches it. */
export const MONGO_ROOT = { username: 'backstop', password: 'not-a-secret-for-tests' } as const;

/** A running server with MongoDB's wire protocol that tests may use as its superuser. JSON-safe. */
export interface MongoServer {
  major: number;
  host: string;
  port: number;
  username: string;
  password: string;
  how: 'official image' | 'stand-in image';
  /** FerretDB, which speaks for MongoDB where its image cannot be had: a real server, without some features. */
  isFerretDb: boolean;
  /** Name of the replica set of which this is the only member. It knows itself as `localhost`, with the port that is ours. */
  replicaSet?: string;
}

/** A server that was started by us, and how it is ended with all that it left. */
export interface StartedMongoServer {
  server: MongoServer;
  /** What identifies it in a message: `mongo:8`, `local/mongo:8`. */
  source: string;
  /** Ends all of its processes at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, and resolves when it takes commands. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Where a server can be reached, without credentials. */
export function mongoUri({ host, port }: Pick<MongoServer, 'host' | 'port'>): string {
  return `mongodb://${host.includes(':') ? `[${host}]` : host}:${port}/?directConnection=true`;
}

/** For titles of tests: `MongoDB 8`, `FerretDB (for MongoDB 8)`. */
export function mongoTitle(server: MongoServer): string {
  return server.isFerretDb ? `FerretDB (for MongoDB ${server.major})` : `MongoDB ${server.major}`;
}
