import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';

import { freshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { startFailingService, startService } from '../support/service.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-two-'));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true });
});

test('a second service on one SQLite catalog refuses to start, says why, and leaves the first alone', async () => {
  await using first = await startService({ dataDir });
  const second = await startFailingService({ dataDir });
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    /^Backstop cannot start\. catalog-in-use: another Backstop is running on the catalog \S+backup\.db; stop it first/,
  );
  expect((await first.request('GET', '/health/ready')).status).toBe(200);
});

test('a service that was killed leaves no lock behind', async () => {
  const first = await startService({ dataDir });
  await first.stop('SIGKILL');
  await using second = await startService({ dataDir });
  expect((await second.request('GET', '/health/ready')).status).toBe(200);
});

test('two services on one PostgreSQL catalog run, but not with one work folder', async () => {
  const server = newestPostgresServer();
  await using catalog = await freshDatabase(server, 'two');
  const { username, password, host, port } = server;
  const env = { DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}` };
  await using first = await startService({ dataDir, env });
  const otherDir = await mkdtemp(join(tmpdir(), 'backstop-two-'));
  onTestFinished(() => rm(otherDir, { recursive: true }));
  const second = await startFailingService({
    dataDir: otherDir,
    env: { ...env, WORK_DIR: join(dataDir, 'data', 'work') },
  });
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/^Backstop cannot start\. work-folder-in-use: .* give each its own WORK_DIR/);
  expect((await first.request('GET', '/health/ready')).status).toBe(200);

  // They share the backups as they share the catalog: a folder that is not the catalog's would not be ready.
  const backups = join(dataDir, 'data', 'backups');
  await using third = await startService({ dataDir: otherDir, env: { ...env, BACKUP_DIR: backups } });
  expect((await third.request('GET', '/health/ready')).status).toBe(200);
});
