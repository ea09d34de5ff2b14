import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { freshDatabase, type FreshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { startFailingService, startService } from '../support/service.ts';
import { backupIn, type BackupBody, freshShop, register } from '../support/shop.ts';
import { aim, standsStillAt, strikeEnv } from './strike.ts';

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

describe('on one catalog in PostgreSQL, with one folder of archives', () => {
  const server = newestPostgresServer();
  let catalog: FreshDatabase;
  let shop: FreshDatabase;
  let env: Record<string, string>;
  beforeEach(async () => {
    catalog = await freshDatabase(server, 'parts');
    shop = await freshShop(server);
    const { username, password, host, port } = server;
    env = {
      DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}`,
      PG_BIN_DIRS: server.clientBinDirs.join(':'),
      BACKUP_DIR: join(dataDir, 'backups'),
      BACKSTOP_SECRET_KEY: 'not-a-secret-key-only-for-these-tests-0123456789',
    };
  });
  afterEach(async () => {
    await shop.drop();
    await catalog.drop();
  });

  const partsIn = async (): Promise<string[]> => {
    const names = await readdir(join(dataDir, 'backups', 'shop'));
    return names.filter((name) => name.endsWith('.partial'));
  };

  test('one that starts leaves the part alone that the other is writing', async () => {
    await using first = await startService({
      env: { ...env, WORK_DIR: join(dataDir, 'one'), ...strikeEnv(dataDir), LEASE_SECONDS: '60' },
    });
    await register(first, server, shop.name, 'shop');
    await aim(dataDir, { point: 'storage.chunk-written', signal: 'SIGSTOP' });
    const asked = await first.request<{ id: string }>('POST', '/backups', {});
    await standsStillAt('storage.chunk-written', { pid: first.pid, folder: dataDir });
    expect(await partsIn()).toHaveLength(1);

    await using second = await startService({ env: { ...env, WORK_DIR: join(dataDir, 'two') } });
    expect(await partsIn()).toHaveLength(1);
    process.kill(first.pid, 'SIGCONT');
    const done = await backupIn(second, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await partsIn()).toEqual([]);
  });

  test('one that takes over removes the part that the dead one was writing, before it writes its own', async () => {
    const first = await startService({
      env: { ...env, WORK_DIR: join(dataDir, 'one'), ...strikeEnv(dataDir), LEASE_SECONDS: '2' },
    });
    await register(first, server, shop.name, 'shop');
    await aim(dataDir, { point: 'storage.chunk-written', signal: 'SIGKILL' });
    const asked = await first.request<{ id: string }>('POST', '/backups', {}).catch(() => undefined);
    await first.ended;
    const left = await partsIn();
    expect(left).toHaveLength(1);

    const other = { ...env, WORK_DIR: join(dataDir, 'two'), LEASE_SECONDS: '2', ...strikeEnv(dataDir) };
    await using second = await startService({ env: other });
    await aim(dataDir, { point: 'storage.part-created', signal: 'SIGSTOP' });
    await standsStillAt('storage.part-created', { pid: second.pid, folder: dataDir });
    const now = await partsIn();
    expect(now).toHaveLength(1);
    expect(now).not.toEqual(left);
    process.kill(second.pid, 'SIGCONT');
    const list = await second.request<BackupBody[]>('GET', '/backups');
    const done = await backupIn(second, asked?.body.id ?? list.body[0]!.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', attempt: 2 });
    expect(await partsIn()).toEqual([]);
  });
});
