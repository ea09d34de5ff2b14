import { mongoTitle, type MongoServer } from './mongo-server.ts';
import type { PostgresServer } from './postgres-server.ts';
import { startMongoServers } from './start-mongo-servers.ts';
import { startPostgresServers } from './start-postgres-servers.ts';

/** What tests are told of the servers of a run. JSON-safe: `scripts/test-servers.ts` keeps it in a file. */
export interface TestServers {
  /** PostgreSQL. */
  servers: PostgresServer[];
  mongo: MongoServer[];
}

/** The servers of a run, one line about each for people, and one for each thing that could not be had. */
export interface StartedServers {
  servers: TestServers;
  lines: string[];
  missing: string[];
  stop(): Promise<void>;
}

/**
 * Starts every server that tests share, at the same time.
 *
 * @param owner Under which label the containers are found again; the id of the process that ends them.
 */
export async function startServers(owner: string): Promise<StartedServers> {
  const [postgres, mongo] = await Promise.all([startPostgresServers(owner), startMongoServers(owner)]);
  return {
    servers: {
      servers: postgres.servers.map((started) => started.server),
      mongo: mongo.servers.map((started) => started.server),
    },
    lines: [
      ...postgres.servers.map(
        ({ server, source }) => `PostgreSQL ${server.major}: ${server.how} ${source}, port ${server.port}`,
      ),
      ...mongo.servers.map(
        ({ server, source }) => `${mongoTitle(server)}: ${server.how} ${source}, port ${server.port}`,
      ),
    ],
    missing: [...postgres.missing, ...mongo.missing],
    stop: async () => {
      await mongo.stop();
      await postgres.stop(); // and whatever else carries the owner's label
    },
  };
}
