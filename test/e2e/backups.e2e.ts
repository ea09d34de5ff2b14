import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { newestPostgresServer } from '../support/postgres-servers.ts';
import { type Answer, type Service, startService } from '../support/service.ts';
import {
  backupIn,
  type BackupBody,
  completedBackup,
  freshShop,
  holdTable,
  register,
  SHOP_ROWS,
} from '../support/shop.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env });
  await register(service, server, shop.name, 'shop', { options: { include_roles: true } });
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
});

const folder = (): string => join(service.dataDir, 'data', 'backups', 'shop');

describe('making a backup', () => {
  test('answers 202 with the record at once, and completes with everything checked', async () => {
    const asked = await service.request<BackupBody>('POST', '/backups', { description: 'first' });
    expect(asked.status).toBe(202);
    expect(asked.headers.get('location')).toBe(`/backups/${asked.body.id}`);
    expect(asked.body).toMatchObject({ status: 'queued', description: 'first', attempt: 0, evidence: null });

    const done = await backupIn(service, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({
      status: 'completed',
      attempt: 1,
      contents: { items: 3, rows: 2_500 },
      evidence: { level: 0, name: 'stored' },
      error: null,
    });
    expect(done.filename).toMatch(/^backup_shop_\d{8}_\d{6}(_\d+)?\.dump\.zst$/);
    const stored = await readFile(join(folder(), done.filename));
    expect(createHash('sha256').update(stored).digest('hex')).toBe(done.sha256);
    expect(done.copies).toEqual([{ destination: 'local', key: `shop/${done.filename}`, state: 'stored' }]);
  });

  test('leaves archive, roles and manifest, and nothing else, and no one else can read them', async () => {
    const done = await completedBackup(service, 'shop');
    const base = done.filename.replace('.dump.zst', '');
    const mine = (await readdir(folder())).filter((name) => name.includes(base)).toSorted();
    expect(mine).toEqual([`${base}.dump.zst`, `${base}.dump.zst.manifest.json`, `${base}.roles.sql.zst`]);
  });

  test('waits for the result when asked to', async () => {
    const answer = await service.request<BackupBody>(
      'POST',
      '/backups?wait=completed&timeout_seconds=60',
      {},
    );
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
  });

  test('a repeated idempotency key gives the first record', async () => {
    const send = (): Promise<{ body: BackupBody }> =>
      service.request<BackupBody>('POST', '/backups?wait=completed', {}, { 'idempotency-key': 'release-42' });
    const [first, second] = [await send(), await send()];
    expect(second.body.id).toBe(first.body.id);
  });

  test('an idempotency key that belongs to another database is refused, and begins nothing', async () => {
    await register(service, server, shop.name, 'shop-too');
    const key = { 'idempotency-key': 'release-43' };
    const first = await service.request<BackupBody>(
      'POST',
      '/backups?wait=completed',
      { database_id: 'shop' },
      key,
    );
    const other = await service.request('POST', '/backups', { database_id: 'shop-too' }, key);
    await service.request('DELETE', '/databases/shop-too');
    expect(other.status).toBe(409);
    expect(other.body).toMatchObject({
      code: 'idempotency-key-reused',
      facts: { backup_id: first.body.id, database: 'shop' },
    });
  });

  test.each([
    { name: 'an empty one', key: '' },
    { name: 'one of 256 characters', key: 'x'.repeat(256) },
  ])('refuses $name as idempotency key', async ({ key }) => {
    const answer = await service.request('POST', '/backups', {}, { 'idempotency-key': key });
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  test('refuses a second one of the same database, and names the first', async () => {
    const release = await holdTable(server, shop.name, 'orders');
    const first = await service.request<BackupBody>('POST', '/backups', {});
    await backupIn(service, first.body.id, 'running');
    const second = await service.request('POST', '/backups', {});
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({
      code: 'backup-already-running',
      facts: { backup_id: first.body.id },
    });
    await release();
    expect((await backupIn(service, first.body.id, 'completed', 'failed')).status).toBe('completed');
  });

  test.each([
    { body: { database_id: 'nobody' }, status: 404, code: 'database-not-found' },
    { body: { database: 'shop' }, status: 400, code: 'invalid-request' },
    { body: { description: 'x'.repeat(1001) }, status: 400, code: 'invalid-request' },
    { body: { locked: 'yes' }, status: 400, code: 'invalid-request' },
  ])('refuses $body with $code', async ({ body, status, code }) => {
    const answer = await service.request('POST', '/backups', body);
    expect(answer.body).toMatchObject({ status, code });
  });
});

describe('finding backups', () => {
  let ids: string[];

  beforeAll(async () => {
    for (let i = 0; i < 3; i += 1) await completedBackup(service, 'shop', { description: `Page 100%_${i}` });
    ids = (await service.request<BackupBody[]>('GET', '/backups?limit=500')).body.map(({ id }) => id);
  });

  test('lists the newest first', () => {
    expect(ids).toEqual(ids.toSorted().toReversed());
  });

  test('pages through all of them without a gap or a repetition', async () => {
    const seen: string[] = [];
    let path: string | undefined = '/backups?limit=2';
    while (path !== undefined) {
      const answer: Answer<BackupBody[]> = await service.request('GET', path);
      expect(answer.headers.get('x-total-count')).toBe(String(ids.length));
      seen.push(...answer.body.map(({ id }) => id));
      path = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(ids);
  });

  test.each([
    ['q=page', 3],
    ['q=100%25_1', 1],
    ['q=nothing-like-it', 0],
    ['status=failed', 0],
    ['database_id=shop&status=completed,failed&q=Page', 3],
    ['database_id=other', 0],
    ['trigger=scheduled', 0],
    ['evidence=proven', 0],
    ['from=2100-01-01T00:00:00Z', 0],
    ['to=2000-01-01T00:00:00Z', 0],
  ])('filters by %s', async (query, count) => {
    const answer = await service.request<BackupBody[]>('GET', `/backups?${query}`);
    expect(answer.body).toHaveLength(count);
    expect(answer.headers.get('x-total-count')).toBe(String(count));
  });

  test.each([
    'limit=0',
    'limit=501',
    'status=good',
    'from=yesterday',
    'cursor=%7B',
    'unknown=1',
    'evidence=9',
  ])('refuses %s', async (query) => {
    expect((await service.request('GET', `/backups?${query}`)).status).toBe(400);
  });

  test('a list that many ask for is never older than what anybody was told', async () => {
    const { id } = await completedBackup(service, 'shop');
    const done = new AbortController();
    const asking = Array.from({ length: 5 }, async () => {
      while (!done.signal.aborted) await service.request('GET', '/backups?limit=5');
    });
    for (let round = 0; round < 30; round += 1) {
      const description = `round ${round}`;
      await service.request('PATCH', `/backups/${id}`, { description });
      const { body } = await service.request<BackupBody[]>('GET', '/backups?limit=5');
      expect(body.find((backup) => backup.id === id)).toMatchObject({ description });
    }
    done.abort();
    await Promise.all(asking);
  });

  test('finds one by id and by file name', async () => {
    const byId = (await service.request<BackupBody>('GET', `/backups/${ids[0]}`)).body;
    const byName = (await service.request<BackupBody>('GET', `/backups/${byId.filename}`)).body;
    expect(byName).toEqual(byId);
    const missing = await service.request('GET', '/backups/backup_shop_20000101_000000.dump.zst');
    expect(missing.body).toMatchObject({ status: 404, code: 'backup-not-found' });
  });

  test('shows contents, manifest and log', async () => {
    const [id] = ids;
    const contents = await service.request<{ items: { name: string; rows: number }[] }>(
      'GET',
      `/backups/${id}/contents`,
    );
    expect(Object.fromEntries(contents.body.items.map(({ name, rows }) => [name, rows]))).toEqual(SHOP_ROWS);
    const manifest = await service.request<{ backup_id: string; parts: { role: string }[] }>(
      'GET',
      `/backups/${id}/manifest`,
    );
    expect(manifest.body).toMatchObject({ format_version: 1, backup_id: id, engine: 'postgres' });
    expect(manifest.body.parts.map(({ role }) => role)).toEqual(['data', 'roles']);
    const log = await service.request('GET', `/backups/${id}/log`);
    expect(log.text).toContain('== attempt 1');
    expect(log.text).toContain('orders');
    expect(log.text + manifest.text).not.toContain(server.password);
  });

  test('changes description and lock', async () => {
    const [id] = ids;
    const changed = await service.request('PATCH', `/backups/${id}`, { description: 'kept', locked: true });
    expect(changed.body).toMatchObject({
      description: 'kept',
      locked: true,
      keep_reasons: expect.arrayContaining(['locked']) as unknown,
    });
    const back = await service.request('PATCH', `/backups/${id}`, { description: null, locked: false });
    expect(back.body).toMatchObject({
      description: null,
      locked: false,
      keep_reasons: expect.not.arrayContaining(['locked']) as unknown,
    });
  });

  test('counts and sums', async () => {
    const all = (await service.request<BackupBody[]>('GET', '/backups?status=completed&limit=500')).body;
    const bytes = all.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const summary = (await service.request('GET', '/backups/stats/summary')).body;
    expect(summary).toMatchObject({
      completed: all.length,
      failed: 0,
      success_rate: 1,
      total_size_bytes: bytes,
    });
    const stats = (await service.request('GET', '/backups/stats')).body;
    expect(stats).toMatchObject({ per_database: [{ database_name: 'shop', completed: all.length }] });
    const status = (await service.request('GET', '/backups/status')).body;
    expect(status).toMatchObject({ enabled: true, total_backups: all.length, running: 0, queued: 0 });
    expect((status['disk'] as { free_bytes: number }).free_bytes).toBeGreaterThan(0);
  });
});

describe('deleting a backup', () => {
  test('removes its objects, and keeps its row as expired', async () => {
    const done = await completedBackup(service, 'shop');
    const gone = await service.request<BackupBody>('DELETE', `/backups/${done.id}`);
    expect([gone.status, gone.body.status, gone.body.copies]).toEqual([200, 'expired', []]);
    const base = done.filename.replace('.dump.zst', '');
    expect((await readdir(folder())).filter((name) => name.includes(base))).toEqual([]);
    const listed = (await service.request<BackupBody[]>('GET', '/backups?limit=500')).body;
    expect(listed.map(({ id }) => id)).not.toContain(done.id);
    const expired = (await service.request<BackupBody[]>('GET', '/backups?status=expired')).body;
    expect(expired.map(({ id }) => id)).toContain(done.id);
    const download = await service.request('GET', `/backups/${done.id}/download`);
    expect(download.body).toMatchObject({ status: 409, code: 'backup-not-in-state' });
  });

  test('refuses a locked one, also by force', async () => {
    const done = await completedBackup(service, 'shop', { locked: true });
    for (const path of [`/backups/${done.id}`, `/backups/${done.id}?force=true`]) {
      expect((await service.request('DELETE', path)).body).toMatchObject({
        status: 409,
        code: 'backup-locked',
      });
    }
    expect((await readFile(join(folder(), done.filename))).byteLength).toBeGreaterThan(0);
  });

  test('refuses a running one', async () => {
    const release = await holdTable(server, shop.name, 'orders');
    const { body } = await service.request<BackupBody>('POST', '/backups', {});
    await backupIn(service, body.id, 'running');
    expect((await service.request('DELETE', `/backups/${body.id}`)).body).toMatchObject({
      status: 409,
      code: 'backup-not-in-state',
    });
    await release();
    await backupIn(service, body.id, 'completed');
  });
});
