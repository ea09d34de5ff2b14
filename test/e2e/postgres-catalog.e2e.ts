import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freshDatabase, type FreshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { backupIn, type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';

const server = newestPostgresServer();
let catalog: FreshDatabase;
let shop: FreshDatabase;
let service: Service;
let data: string;
let env: Record<string, string>;

beforeAll(async () => {
  catalog = await freshDatabase(server, 'catalog');
  shop = await freshShop(server);
  const { username, password, host, port } = server;
  env = {
    PG_BIN_DIRS: server.clientBinDirs.join(':'),
    DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}`,
  };
  data = await mkdtemp(join(tmpdir(), 'backstop-e2e-'));
  service = await startService({ env, dataDir: data });
  await register(service, server, shop.name, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
  await catalog?.drop();
  await rm(data, { recursive: true });
});

describe('with a catalog in PostgreSQL', () => {
  test('backs up, lists, counts and removes as with SQLite', async () => {
    const first = await completedBackup(service, 'shop', { description: 'Uno', locked: true });
    const second = await completedBackup(service, 'shop', { description: 'dos' });
    expect(first).toMatchObject({
      contents: { items: 3, rows: 2_500 },
      locked: true,
      evidence: { level: 0 },
    });

    const listed = await service.request<BackupBody[]>('GET', '/backups?q=uno&status=completed');
    expect(listed.body.map(({ id }) => id)).toEqual([first.id]);
    const page = await service.request<BackupBody[]>('GET', '/backups?limit=1');
    expect(page.body.map(({ id }) => id)).toEqual([second.id]);
    const next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect((await service.request<BackupBody[]>('GET', next)).body.map(({ id }) => id)).toEqual([first.id]);

    const stats = await service.request('GET', '/backups/stats');
    expect(stats.body).toMatchObject({
      completed: 2,
      success_rate: 1,
      total_size_bytes: first.size_bytes + second.size_bytes,
      per_day: [{ completed: 2, failed: 0 }],
    });
    const gone = await service.request<BackupBody>('DELETE', `/backups/${second.id}`);
    expect(gone.body).toMatchObject({ status: 'expired', copies: [] });
  });

  test('of many requests at once for one database, one is served', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service.request<BackupBody>('POST', '/backups', {})),
    );
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    await backupIn(service, accepted[0]!.body.id, 'completed');
  });

  test('a repeated idempotency key gives the first record, also at once', async () => {
    const send = (): Promise<{ status: number; body: BackupBody }> =>
      service.request<BackupBody>('POST', '/backups?wait=completed', {}, { 'idempotency-key': 'once' });
    const [one, other] = await Promise.all([send(), send()]);
    expect([one.status, other.status, other.body.id]).toEqual([200, 200, one.body.id]);
  });

  test('remembers everything after a restart', async () => {
    const before = (await service.request('GET', '/backups')).text;
    await service.stop('SIGKILL');
    service = await startService({ env, dataDir: data });
    expect((await service.request('GET', '/backups')).text).toBe(before);
    await completedBackup(service, 'shop');
  });
});
