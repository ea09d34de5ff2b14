import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findCompose } from '../../scripts/setup/docker-compose.mjs';
import { ensureImage } from '../../scripts/setup/images.mjs';
import { PROJECT } from '../../scripts/setup/paths.mjs';
import { must, run } from '../../scripts/setup/run.mjs';
import { hasDockerEngine } from '../support/containers.ts';

import { buildServiceImage, SERVICE_IMAGE } from './service-image.ts';
import { ServiceClient, type BackupRecord } from './service-client.ts';

const compose = (await hasDockerEngine()) ? await findCompose() : undefined;
const missing = 'no Docker Engine answers, or Docker Compose is not here';

/** A project of its own, so that a developer's running one is left alone. */
const project = `backstop-test-${randomBytes(4).toString('hex')}`;

/** The images that are here instead of those in the file, and a health check that the stand-in of MongoDB can answer. */
async function overrides(): Promise<string> {
  const postgres = await ensureImage('postgres:18');
  const mongo = await ensureImage('mongo:8');
  const listens = { test: ['CMD', 'bash', '-c', '</dev/tcp/127.0.0.1/27017'] };
  return stringify({
    services: {
      backstop: { image: SERVICE_IMAGE },
      postgres: { image: postgres.reference },
      mongo: { image: mongo.reference, ...(mongo.how === 'stand-in image' ? { healthcheck: listens } : {}) },
    },
  });
}

describe('docker-compose.yml', () => {
  let folder: string;
  let client: ServiceClient;

  /** Runs Compose on the file, with the overrides of this test. */
  async function composed(...args: string[]): Promise<string> {
    const [file, ...first] = compose ?? ['docker', 'compose'];
    const files = ['-f', join(PROJECT, 'docker-compose.yml'), '-f', join(folder, 'override.yml')];
    const all = [...first, '-p', project, '--env-file', join(folder, 'env'), ...files, ...args];
    return await must(file, all);
  }

  async function connect(): Promise<void> {
    client = new ServiceClient(`http://${await composed('port', 'backstop', '8000')}`);
  }

  beforeAll(async () => {
    if (compose === undefined) return;
    await buildServiceImage();
    folder = await mkdtemp(join(tmpdir(), 'backstop-compose-'));
    await writeFile(join(folder, 'override.yml'), await overrides());
    const variables = [
      'POSTGRES_PASSWORD=not-a-secret-1',
      'MONGO_PASSWORD=not-a-secret-2',
      'BACKSTOP_PORT=0',
    ];
    await writeFile(join(folder, 'env'), `${variables.join('\n')}\n`);
    await composed('up', '--detach', '--no-build', '--wait', '--wait-timeout', '400');
    await connect();
  });

  afterAll(async () => {
    if (compose === undefined) return;
    try {
      await composed('down', '--volumes', '--timeout', '1');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('refuses to start without passwords', async (context) => {
    context.skip(compose === undefined, missing);
    const [file, ...first] = compose ?? ['docker', 'compose'];
    const args = [
      ...first,
      '-p',
      project,
      '--env-file',
      '/dev/null',
      '-f',
      join(PROJECT, 'docker-compose.yml'),
    ];
    const refused = await run(file, [...args, 'config']);
    expect(refused.code).not.toBe(0);
    expect(refused.output).toMatch(/(POSTGRES|MONGO)_PASSWORD.*choose one in \.env/);
  });

  it('brings up the service and both databases, all of them healthy', async (context) => {
    context.skip(compose === undefined, missing);
    const services = await composed('ps', '--format', '{{.Service}} {{.Health}}');
    expect(services.split('\n').sort()).toEqual(['backstop healthy', 'mongo healthy', 'postgres healthy']);
  });

  it('backs up its PostgreSQL, which it has registered by itself, and keeps the backup when started anew', async (context) => {
    context.skip(compose === undefined, missing);
    const { id } = await client.call<{ id: string }>('GET', '/databases/shop');
    const backup = await client.backUp(id);
    expect(backup).toMatchObject({ status: 'completed' });
    expect(backup.size_bytes).toBeGreaterThan(0);

    await composed('up', '--detach', '--no-build', '--wait', '--force-recreate', '--no-deps', 'backstop');
    await connect();
    const kept = await client.call<BackupRecord>('GET', `/backups/${backup.id}`);
    expect(kept).toMatchObject({ status: 'completed', sha256: backup.sha256 });
  });

  it('backs up its MongoDB, all databases of it', async (context) => {
    context.skip(compose === undefined, missing);
    const id = await client.register({
      name: 'mongo',
      engine: 'mongodb',
      host: 'mongo',
      username_var: 'MONGO_USER',
      password_var: 'MONGO_PASSWORD',
    });
    const backup = await client.backUp(id);
    expect(backup).toMatchObject({ status: 'completed' });
    expect(backup.filename).toMatch(/\.archive\.zst$/);
  });
});
