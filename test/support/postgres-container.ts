import { GenericContainer, Wait } from 'testcontainers';

import type { ReadyImage } from '../../scripts/setup/images.mjs';
import { SERVER_SETTINGS, SUPERUSER, type StartedServer } from './postgres-server.ts';

/** The label by which containers of a test process are found, should that process die. Its value is the process id. */
export const OWNER_LABEL = 'backstop.test-process';

/**
 * Starts a PostgreSQL server of `major` in a container and resolves when it takes connections.
 *
 * @param owner Value of `OWNER_LABEL`.
 */
export async function startPostgresContainer(
  major: number,
  image: ReadyImage,
  clientBinDirs: string[],
  owner: string,
): Promise<StartedServer> {
  const container = await new GenericContainer(image.reference)
    .withEnvironment({
      POSTGRES_USER: SUPERUSER.username,
      POSTGRES_PASSWORD: SUPERUSER.password,
      POSTGRES_DB: 'postgres',
    })
    .withCommand(['postgres', ...SERVER_SETTINGS.flatMap((setting) => ['-c', setting])])
    .withLabels({ [OWNER_LABEL]: owner })
    .withExposedPorts(5432)
    // /dev/shm is where parallel queries put their rows; Docker's default of 64 MB is soon full.
    .withSharedMemorySize(512 * 1024 * 1024)
    // The first time is the temporary server of the image's initialisation.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(90_000)
    .start();
  return {
    server: {
      major,
      host: container.getHost(),
      port: container.getMappedPort(5432),
      ...SUPERUSER,
      how: image.how,
      clientBinDirs,
    },
    source: image.reference,
    stop: async () => {
      await container.stop({ remove: true, removeVolumes: true, timeout: 0 });
    },
  };
}
