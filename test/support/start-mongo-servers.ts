import { ensureImage } from '../../scripts/setup/images.mjs';

import { hasDockerEngine, prepareTestcontainers } from './containers.ts';
import { startMongoContainer } from './mongo-container.ts';
import { MONGO_IMAGES, type StartedMongoServer } from './mongo-server.ts';

/** The servers of a run, and what could not be had, for people. */
export interface MongoServerSet {
  servers: StartedMongoServer[];
  /** One sentence for each thing that is missing. */
  missing: string[];
  stop(): Promise<void>;
}

/**
 * Starts one server for each major, at the same time. A major that cannot be had is named in `missing`; the others start all
 * the same.
 *
 * @param owner Under which label the containers are found again; the id of the process that ends them.
 */
export async function startMongoServers(owner: string): Promise<MongoServerSet> {
  if (!(await hasDockerEngine())) {
    const missing = ['MongoDB: no Docker Engine answers, and no server binaries are known'];
    return { servers: [], missing, stop: async () => {} };
  }
  await prepareTestcontainers();
  const missing: string[] = [];
  const servers: StartedMongoServer[] = [];
  const starting = MONGO_IMAGES.map(async (wanted) => {
    try {
      servers.push(await startMongoContainer(wanted, await ensureImage(`mongo:${wanted.major}`), owner));
    } catch (error) {
      missing.push(`MongoDB ${wanted.major}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  await Promise.all(starting);
  servers.sort((a, b) => a.server.major - b.server.major);
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((started) => started.stop()));
  };
  return { servers, missing, stop };
}
