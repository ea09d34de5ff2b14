import {
  GenericContainer,
  Network,
  Wait,
  type StartedNetwork,
  type StartedTestContainer,
} from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ensureImage } from '../../scripts/setup/images.mjs';
import { PROJECT } from '../../scripts/setup/paths.mjs';
import { must, run } from '../../scripts/setup/run.mjs';
import { hasDockerEngine, prepareTestcontainers } from '../support/containers.ts';
import { OWNER_LABEL } from '../support/postgres-container.ts';
import { SUPERUSER } from '../support/postgres-server.ts';

import { buildServiceImage, SERVICE_IMAGE } from './service-image.ts';
import { ServiceClient, type BackupContents } from './service-client.ts';

const docker = await hasDockerEngine();
const labels = { [OWNER_LABEL]: String(process.pid) };
/** What the build argument MONGO_TOOLS is given to. */
const MONGO_TOOLS_SCRIPT = `${PROJECT}/scripts/image/install-mongo-tools.sh`;

/** Tables and rows of the database that is backed up, made when its server starts. */
const SAMPLE = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
  INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 1000) AS n;
`;

describe('the container image', () => {
  let network: StartedNetwork;
  let database: StartedTestContainer;
  let service: StartedTestContainer;
  let client: ServiceClient;

  beforeAll(async () => {
    if (!docker) return;
    await prepareTestcontainers();
    await buildServiceImage();
    const postgres = await ensureImage('postgres:18');
    network = await new Network().start();
    [database, service] = await Promise.all([
      new GenericContainer(postgres.reference)
        .withLabels(labels)
        .withNetwork(network)
        .withNetworkAliases('shop-db')
        .withEnvironment({
          POSTGRES_USER: SUPERUSER.username,
          POSTGRES_PASSWORD: SUPERUSER.password,
          POSTGRES_DB: 'shop',
        })
        .withCopyContentToContainer([{ content: SAMPLE, target: '/docker-entrypoint-initdb.d/sample.sql' }])
        .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
        .start(),
      new GenericContainer(SERVICE_IMAGE)
        .withLabels(labels)
        .withNetwork(network)
        .withExposedPorts(8000)
        .withWaitStrategy(Wait.forHealthCheck())
        .withStartupTimeout(300_000)
        .start(),
    ]);
    client = new ServiceClient(`http://${service.getHost()}:${service.getMappedPort(8000)}`);
  });

  afterAll(async () => {
    await Promise.all([service, database].map((container) => container?.stop({ removeVolumes: true })));
    await network?.stop();
  });

  it('becomes healthy, and runs without root behind an init', async (context) => {
    context.skip(!docker, 'no Docker Engine answers');
    expect((await service.exec(['id', '-un'])).output.trim()).toBe('node');
    expect((await service.exec(['cat', '/proc/1/comm'])).output.trim()).toBe('tini');
    const inspected = await must('docker', ['inspect', '-f', '{{.State.Health.Status}}', service.getId()]);
    expect(inspected).toBe('healthy');
  });

  it('holds the clients of several majors', async (context) => {
    context.skip(!docker, 'no Docker Engine answers');
    for (const major of [15, 17, 18]) {
      const { output } = await service.exec([`/usr/lib/postgresql/${major}/bin/pg_dump`, '--version']);
      expect(output).toContain(`pg_dump (PostgreSQL) ${major}.`);
    }
  });

  it('takes the MongoDB Database Tools of their vendor, as its build argument asks for', async (context) => {
    context.skip(!docker, 'no Docker Engine answers');
    context.skip(process.arch !== 'x64', 'the vendor has no tools for Debian on this architecture');
    const unreachable = await reasonWithout('https://pgp.mongodb.com/server-8.0.asc');
    context.skip(unreachable !== undefined, `the vendor of the tools cannot be reached: ${unreachable}`);
    const script = [
      '-v',
      `${MONGO_TOOLS_SCRIPT}:/install.sh:ro`,
      '--entrypoint',
      'sh',
      SERVICE_IMAGE,
      '/install.sh',
    ];
    const printed = await must('docker', ['run', '--rm', '--user', 'root', ...script, '8.0']);
    expect(printed).toMatch(/^mongodump version: 100\./m);
    expect(printed).toMatch(/^mongorestore version: 100\./m);
  });

  it.each(['9.0', '8', 'newest'])(
    'is not built with MongoDB Database Tools of a series %s',
    async (series) => {
      const { code, output } = await run('sh', [MONGO_TOOLS_SCRIPT, series]);
      expect(code).toBe(2);
      expect(output).toContain(`such as 8.0, and not '${series}'`);
    },
  );

  it('backs up a database on its network into its volume', async (context) => {
    context.skip(!docker, 'no Docker Engine answers');
    const id = await client.register({
      name: 'shop',
      host: 'shop-db',
      port: 5432,
      database_name: 'shop',
      ...SUPERUSER,
    });
    const backup = await client.backUp(id);
    expect(backup).toMatchObject({ status: 'completed' });
    expect(backup.server_version).toMatch(/^18\b/);
    const contents = await client.call<BackupContents>('GET', `/backups/${backup.id}/contents`);
    expect(contents.items).toMatchObject([{ name: 'public.customers', rows: 1000 }]);
    const found = await service.exec([
      'find',
      '/data/backups',
      '-name',
      `${backup.filename}*`,
      '-printf',
      '%f %s\\n',
    ]);
    expect(found.output).toContain(`${backup.filename} ${backup.size_bytes}\n`);
    expect(found.output).toContain(`${backup.filename}.manifest.json `);
  });

  it('ends cleanly at SIGTERM', async (context) => {
    context.skip(!docker, 'no Docker Engine answers');
    const id = service.getId();
    await must('docker', ['stop', '--time', '60', id]);
    const state = await must('docker', ['inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', id]);
    // 137 would be Docker's SIGKILL after the time ran out, 143 a process that did not handle the signal.
    expect(state).toBe('0 false');
  });
});

/** Why a page cannot be had; undefined when it can. */
async function reasonWithout(url: string): Promise<string | undefined> {
  try {
    const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(20_000) });
    return ok ? undefined : `HTTP ${status}`;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
