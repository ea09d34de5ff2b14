import { ensureImage } from '../../scripts/setup/images.mjs';
import { startLocalPostgres } from '../../scripts/setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../../scripts/setup/postgres-binaries.mjs';
import { ensurePostgresClients } from '../../scripts/setup/postgres-clients.mjs';

import { hasDockerEngine, prepareTestcontainers, removeContainersOf } from './containers.ts';
import { startPostgresContainer } from './postgres-container.ts';
import { POSTGRES_MAJORS, SERVER_SETTINGS, SUPERUSER, type StartedServer } from './postgres-server.ts';

/** The servers of a run, and what could not be had, for people. */
export interface ServerSet {
  servers: StartedServer[];
  /** One sentence for each thing that is missing. */
  missing: string[];
  stop(): Promise<void>;
}

/**
 * Starts one PostgreSQL server for each major, at the same time: in containers where a Docker Engine answers, else from
 * binaries of this machine. A major that cannot be had is named in `missing`; the others start all the same.
 *
 * @param owner Under which label the containers are found again; the id of the process that ends them.
 */
export async function startPostgresServers(owner: string): Promise<ServerSet> {
  const missing: string[] = [];
  const clients = await ensurePostgresClients();
  if (clients.missing !== undefined) missing.push(clients.missing);
  const clientBinDirs = Object.values(clients.folders);
  const docker = await hasDockerEngine();
  if (docker) await prepareTestcontainers();

  const servers: StartedServer[] = [];
  const starting = POSTGRES_MAJORS.map(async (major) => {
    try {
      const image = docker ? await ensureImage(`postgres:${major}`) : undefined;
      servers.push(
        image === undefined
          ? await startFromBinaries(major, clientBinDirs)
          : await startPostgresContainer(major, image, clientBinDirs, owner),
      );
    } catch (error) {
      missing.push(`PostgreSQL ${major}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  await Promise.all(starting);
  servers.sort((a, b) => a.server.major - b.server.major);

  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((started) => started.stop()));
    if (docker) await removeContainersOf(owner);
  };
  return { servers, missing, stop };
}

async function startFromBinaries(major: number, clientBinDirs: string[]): Promise<StartedServer> {
  const bin = await ensurePostgresBinaries(major);
  const local = await startLocalPostgres({ bin, ...SUPERUSER, settings: SERVER_SETTINGS });
  const { stop, ...address } = local;
  return { server: { major, ...address, how: 'local binaries', clientBinDirs }, source: bin, stop };
}
