import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type FreshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { countRows, dropDatabasesLike } from '../support/restores.ts';
import { type Answer, type Service, startService } from '../support/service.ts';
import { freshShop, register } from '../support/shop.ts';
import { until } from '../support/until.ts';

/*
 * What scripts for the services that Backstop replaces send, as `curl` lines of them do, and what they look for in the answers.
 */

type Body = Record<string, unknown>;

const server = newestPostgresServer();
const { host, port, username, password } = server;
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
const FILE = expect.stringMatching(/^backup_shop_\d{8}_\d{6}.*\.dump\.zst$/);

let database: FreshDatabase;
let base: string;
let root: string;
let service: Service;

beforeAll(async () => {
  database = await freshShop(server, 'older');
  base = await mkdtemp(join(tmpdir(), 'backstop-older-'));
  root = join(base, 'roots');
  await mkdir(root);
  service = await startService({ env: { ...env, BACKUP_DIR_ROOTS: root }, dataDir: join(base) });
  await register(service, server, database.name, 'shop');
});
afterAll(async () => {
  await service.stop();
  await dropDatabasesLike(server, database.name);
  await rm(base, { recursive: true });
});

const post = (path: string, body: unknown = {}): Promise<Answer<Body>> => service.request('POST', path, body);
const get = (path: string): Promise<Answer<Body>> => service.request('GET', path);

/** Makes one as a script of old would, and gives its file name. */
async function made(): Promise<string> {
  const answer = await post('/api/backups', {});
  expect(answer.status, answer.text).toBe(200);
  return String(answer.body['filename']);
}

describe('backups', () => {
  it.each<[string, string, Body]>([
    ['POST', '/api/backups', { description: 'by an older script' }],
    ['POST', '/api/backups', { database_id: 'shop', retention_days: 30, cleanup_old: true }],
    ['POST', '/api/v1/backup/create', {}],
    ['POST', '/api/v1/backup/create', { description: 'x' }],
    ['POST', '/api/v1/backup/create-custom', { retention_days: 3, cleanup_old: false }],
  ])('%s %s %j answers when it is done, with the file', async (method, path, body) => {
    const answer = await service.request<Body>(method, path, body);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      status: 'success',
      message: expect.stringMatching(/^Backup completed: backup_shop_/),
      filename: FILE,
      timestamp: TIME,
      backup_status: 'completed',
      description: body['description'] ?? null,
      retention_days: body['retention_days'] ?? null,
    });
    expect(answer.headers.get('location')).toBe(`/backups/${String(answer.body['id'])}`);
    const record = await get(`/backups/${String(answer.body['filename'])}`);
    expect(record.body).toMatchObject({ id: answer.body['id'], status: 'completed' });
  });

  it.each([
    ['/api/backups', {}],
    ['/api/v1/backup/create', {}],
    ['/api/v1/backup/create-custom', { retention_days: 3 }],
    ['/api/backups/restore', { filename: 'newest' }],
  ])('POST %s answers a repeated Idempotency-Key with the first record', async (path, body) => {
    const sent = 'filename' in body ? { filename: await made() } : body;
    const send = (key: string): Promise<Answer<Body>> =>
      service.request('POST', path, sent, { 'idempotency-key': key });
    const [first, second] = [await send(`older ${path}`), await send(`older ${path}`)];
    expect(first.status, first.text).toBe(200);
    expect([second.status, second.body['id']]).toEqual([200, first.body['id']]);
    expect((await send('')).body).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('POST /backups with a description alone is the one database; ?wait=completed has the fields of old', async () => {
    const queued = await post('/backups', { description: 'before the release' });
    expect(queued.status).toBe(202);
    expect(queued.body).toMatchObject({ database_name: 'shop', description: 'before the release' });
    await until('its end', async () => {
      return (await get(`/backups/${String(queued.body['id'])}`)).body['status'] === 'completed';
    });
    const waited = await post('/backups?wait=completed', { description: 'before the release' });
    expect(waited.status).toBe(200);
    const { message, timestamp, ...record } = waited.body;
    expect(record).toMatchObject({ status: 'completed', filename: FILE });
    expect(message).toBe(`Backup completed: ${String(record['filename'])}`);
    expect(timestamp).toBe(record['completed_at']);
  });

  it('lists, shows, changes and deletes under the older path', async () => {
    const filename = await made();
    const list = await service.request<Body[]>('GET', '/api/backups?limit=1');
    expect(list.body).toMatchObject([{ filename, status: 'completed' }]);
    expect(list.headers.get('link')).toMatch(/^<\/api\/backups\?limit=1&cursor=.*>; rel="next"$/);
    expect((await get(`/api/backups/${filename}`)).body).toMatchObject({ filename, locked: false });
    const locked = await service.request('PATCH', `/api/backups/${filename}`, { locked: true });
    expect(locked.body).toMatchObject({ locked: true });
    const refused = await service.request('DELETE', `/api/backups/${filename}`);
    expect(refused.body).toMatchObject({ status: 409, code: 'backup-locked' });
    await service.request('PATCH', `/api/backups/${filename}`, { locked: false });
    const deleted = await service.request('DELETE', `/api/backups/${filename}`);
    expect(deleted.status, deleted.text).toBe(200);
    expect(deleted.body).toMatchObject({
      status: 'success',
      message: `Backup deleted: ${filename}`,
      filename,
      timestamp: TIME,
      backup_status: 'expired',
    });
    expect((await get('/api/backups/no-such.dump')).body).toMatchObject({ code: 'backup-not-found' });
  });

  it.each<[string, string, Body]>([
    [
      'GET',
      '/api/backups/status',
      { total_backups: expect.any(Number), backup_directory: expect.any(String) },
    ],
    ['GET', '/api/v1/backup/stats', { completed: expect.any(Number), per_database: expect.any(Array) }],
    [
      'POST',
      '/api/backups/cleanup',
      { message: expect.stringMatching(/deleted$/), deleted_count: 0, kept: expect.any(Number) },
    ],
    ['POST', '/api/v1/backup/cleanup', { message: expect.stringMatching(/deleted$/), cleanup_date: TIME }],
  ])('%s %s succeeds with the time', async (method, path, expected) => {
    const answer = await service.request<Body>(
      method,
      path,
      method === 'POST' ? { retention_days: 7 } : undefined,
    );
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ status: 'success', timestamp: TIME, ...expected });
  });

  it.each(['/api/backups/restore', '/backups/restore?wait=completed'])(
    'POST %s of a file name alone restores beside, and names the new database',
    async (path) => {
      const filename = await made();
      const answer = await post(path, { filename });
      expect(answer.status, answer.text).toBe(200);
      const { target } = answer.body as { target: { database_name: string } };
      expect(target.database_name).toMatch(new RegExp(`^${database.name}_restored_`));
      expect(await countRows(server, target.database_name, 'orders')).toBe(2000);
      expect(await countRows(server, database.name, 'orders')).toBe(2000);
      if (!path.startsWith('/api')) return;
      expect(answer.body).toMatchObject({
        status: 'success',
        message: `Restored into the new database ${target.database_name}`,
        filename,
        timestamp: TIME,
        restored_database: target.database_name,
        restore_status: 'completed',
      });
    },
  );

  it('says over the old database only with mode and confirm', async () => {
    const filename = await made();
    const refused = await post('/api/backups/restore', { filename, mode: 'replace' });
    expect(refused.body).toMatchObject({ status: 400, code: 'confirmation-missing' });
    const neither = await post('/api/backups/restore', {});
    expect(neither.body).toMatchObject({ status: 400, code: 'backup-not-chosen' });
  });

  it('never says success of what failed', async () => {
    await using broken = await startService({ env });
    const settings = { engine: 'postgres', host, port, username, password, options: { timeout_seconds: 60 } };
    await broken.request('POST', '/databases', {
      name: 'gone',
      database_name: 'no_such_database',
      ...settings,
    });
    const answer = await broken.request('POST', '/api/backups', {});
    expect(answer.body).toMatchObject({ status: 422, code: 'backup-failed' });
    expect(answer.text).not.toContain('success');
  });

  it('refuses what it does not know, by name', async () => {
    const answer = await post('/api/v1/backup/create-custom', { retention: 3, retention_days: 0 });
    expect(answer.body).toMatchObject({ status: 400, detail: '/retention is not a known field' });
    const zero = await post('/api/v1/backup/create', { retention_days: 0 });
    expect(zero.body).toMatchObject({ status: 400, code: 'retention-invalid' });
  });
});

describe('create-custom with a folder', () => {
  const custom = (backupDir: string): Promise<Answer<Body>> =>
    post('/api/v1/backup/create-custom', { backup_dir: backupDir });

  it('is refused where no root is set', async () => {
    await using plain = await startService({ env });
    await register(plain, server, database.name, 'shop');
    const answer = await plain.request<Body>('POST', '/api/v1/backup/create-custom', {
      backup_dir: '/mnt/x',
    });
    expect(answer.body).toMatchObject({ status: 400, code: 'backup-dir-refused' });
    expect(answer.body['detail']).toContain('BACKUP_DIR_ROOTS names no folder');
    expect((await plain.request<Body[]>('GET', '/backups')).body).toEqual([]);
  });

  it('stores there, and restores, verifies and deletes it after a restart without the root', async () => {
    const folder = join(root, 'before-release', 'one');
    const first = await custom(folder);
    expect(first.status, first.text).toBe(200);
    expect(first.body).toMatchObject({
      status: 'success',
      copies: [{ destination: folder, state: 'stored' }],
    });
    const second = await custom(`${folder}/../one/`);
    expect(second.body).toMatchObject({ copies: [{ destination: folder }] });
    const filename = String(first.body['filename']);
    expect(await readdir(join(folder, 'shop'))).toContain(filename);
    expect(await readdir(folder)).toContain('.backstop-destination');
    // As a service that dies in the middle of one leaves it.
    const part = `.backstop-${randomUUID()}.partial`;
    await writeFile(join(folder, 'shop', part), 'half');

    await service.stop();
    service = await startService({ env, dataDir: base });
    expect(await readdir(join(folder, 'shop'))).not.toContain(part);
    const refused = await custom(folder);
    expect(refused.body).toMatchObject({ code: 'backup-dir-refused' });
    const restored = await post('/backups/restore?wait=completed', { filename });
    expect(restored.status, restored.text).toBe(200);
    const download = await service.request('GET', `/backups/${filename}/download`);
    expect(download.status).toBe(200);
    expect((await service.request('DELETE', `/backups/${filename}`, undefined)).status).toBe(409);
    expect((await service.request('DELETE', `/backups/${filename}?force=true`)).status).toBe(200);
    expect(await readdir(join(folder, 'shop'))).not.toContain(filename);
    expect(await readdir(join(folder, 'shop'))).toContain(String(second.body['filename']));

    // An empty folder in its place is not taken for it.
    const mark = await readFile(join(folder, '.backstop-destination'), 'utf8');
    expect(mark).toMatch(/^[0-9a-f-]{36}\n$/);
    await rm(folder, { recursive: true });
    await mkdir(folder);
    const lost = await service.request('GET', `/backups/${String(second.body['filename'])}/download`);
    expect(lost.body).toMatchObject({ status: 503, code: 'storage-unavailable' });

    await service.stop();
    service = await startService({ env: { ...env, BACKUP_DIR_ROOTS: root }, dataDir: base });
  });

  it.each<[string, () => string, RegExp]>([
    ['outside', () => '/etc', /not below one of BACKUP_DIR_ROOTS/],
    ['above by dots', () => `${root}/../elsewhere`, /not below one of BACKUP_DIR_ROOTS/],
    ['beside under a name that begins alike', () => `${root}-2`, /not below one of BACKUP_DIR_ROOTS/],
    ['by a link', () => `${root}/link/x`, /a symbolic link lies on its way/],
    ['relative', () => 'roots/x', /no absolute path/],
  ])('is refused %s', async (_name, folder, reason) => {
    await mkdir(join(base, 'elsewhere'), { recursive: true });
    await symlink(join(base, 'elsewhere'), join(root, 'link')).catch(() => undefined);
    const answer = await custom(folder());
    expect(answer.body).toMatchObject({ status: 400, code: 'backup-dir-refused' });
    expect(answer.body['detail']).toMatch(reason);
    expect(await readdir(join(base, 'elsewhere'))).toEqual([]);
  });

  it('is refused in or around a folder that is in use', async () => {
    const used = join(root, 'used', 'here');
    expect((await custom(used)).status).toBe(200);
    for (const folder of [join(used, 'inner'), join(root, 'used'), root]) {
      expect((await custom(folder)).body, folder).toMatchObject({ code: 'backup-dir-refused' });
    }
    expect((await custom(`${used}-2`)).status).toBe(200);
  });
});

describe('connections', () => {
  it('are databases with the names of old', async () => {
    const connection = {
      name: 'older-shop',
      type: 'postgres',
      host,
      port,
      database: database.name,
      username,
      password,
    };
    const saved = await post('/connections', connection);
    expect(saved.status, saved.text).toBe(201);
    expect(saved.body).toMatchObject({
      ...{ status: 'success', message: 'Connection saved: older-shop', timestamp: TIME },
      ...{ type: 'postgres', engine: 'postgres', database: database.name, database_name: database.name },
      ...{ password: 'set', warnings: [] },
    });
    const id = String(saved.body['id']);
    expect(saved.headers.get('location')).toBe(`/databases/${id}`);
    expect((await get(`/connections/${id}`)).body).toMatchObject({
      id,
      type: 'postgres',
      database: database.name,
    });
    const list = await service.request<Body[]>('GET', '/connections');
    expect(list.body.map(({ name, type }) => [name, type])).toEqual([
      ['older-shop', 'postgres'],
      ['shop', 'postgres'],
    ]);

    const tested = await post(`/connections/${id}/test`);
    expect(tested.status, tested.text).toBe(200);
    expect(tested.body).toMatchObject({ status: 'success', ok: true, timestamp: TIME });
    expect(tested.body['postgresql_version']).toBe(tested.body['server_version']);
    expect(tested.body['message']).toContain('Connection successful');

    const changed = await service.request<Body>('PUT', `/connections/${id}`, {
      ...{ name: 'older-shop', type: 'postgres', database: 'no_such_database' },
    });
    expect(changed.body).toMatchObject({ status: 'success', database: 'no_such_database', password: 'set' });
    const fails = await post(`/connections/${id}/test`);
    expect(fails.body).toMatchObject({ status: 422, code: 'database-absent' });
    const other = await service.request('PATCH', `/connections/${id}`, { type: 'mongodb' });
    expect(other.body).toMatchObject({ status: 400, errors: [{ pointer: '/type' }] });

    const removed = await service.request<Body>('DELETE', `/connections/${id}`);
    expect(removed.status).toBe(200);
    expect(removed.body).toMatchObject({
      status: 'success',
      id,
      message: expect.stringContaining('removed: older-shop'),
    });
    expect((await get(`/connections/${id}`)).body).toMatchObject({ status: 404, code: 'database-not-found' });
  });

  it.each<[Body, string]>([
    [
      { name: 'x', type: 'postgres', engine: 'postgres' },
      '/type and engine are the same; leave one of them out',
    ],
    [
      { name: 'x', type: 'postgres', database: 'a', database_name: 'b' },
      '/database and database_name are the same; leave one of them out',
    ],
    [{ name: 'x', host: 'h' }, '/engine is missing'],
    [{ name: 'x', type: 'postgres', ssl: true }, '/ssl is not a known field'],
  ])('refuses %j', async (body, detail) => {
    expect((await post('/connections', body)).body).toMatchObject({ status: 400, detail });
  });
});

describe('schedules', () => {
  it('take the names of old', async () => {
    const { body: shop } = await get('/databases/shop');
    const made = await post('/schedules', {
      ...{ name: 'older', connection_id: shop['id'], cron_expression: '0 3 * * *', is_active: false },
    });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ database_id: shop['id'], cron: '0 3 * * *', enabled: false });
    const path = `/schedules/${String(made.body['id'])}`;
    const changed = await service.request('PUT', path, { cron_expression: '30 4 * * *', is_active: true });
    expect(changed.body).toMatchObject({ name: 'older', cron: '30 4 * * *', enabled: true });
    const off = await service.request('PATCH', path, { is_active: false });
    expect(off.body).toMatchObject({ cron: '30 4 * * *', enabled: false });
    const preview = await post('/schedules/preview', { cron_expression: '0 3 * * *', count: 1 });
    expect(preview.status).toBe(200);
    expect((await service.request('DELETE', path)).status).toBe(204);
  });

  it.each<[Body, string]>([
    [
      { cron: '0 3 * * *', cron_expression: '0 3 * * *' },
      '/cron_expression and cron are the same; leave one of them out',
    ],
    [{ enabled: true, is_active: false }, '/is_active and enabled are the same; leave one of them out'],
    [
      { database_id: 'shop', connection_id: 'shop' },
      '/connection_id and database_id are the same; leave one of them out',
    ],
  ])('refuse both names: %j', async (more, detail) => {
    const answer = await post('/schedules', { name: 'both', ...more });
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid-request', detail });
  });

  it('say what is wrong with an older cron expression', async () => {
    const body = { name: 'wrong', connection_id: 'shop', cron_expression: '0 0 31 2 *' };
    expect((await post('/schedules', body)).body).toMatchObject({ status: 400, code: 'schedule-invalid' });
  });
});

it('marks every older operation as deprecated in the documentation, and no other', async () => {
  const { body } = await service.request<{ paths: Record<string, Record<string, { deprecated?: boolean }>> }>(
    'GET',
    '/docs-json',
  );
  const found = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { deprecated = false }]) => ({ path, method, deprecated })),
  );
  const older = found.filter(({ path }) => /^\/(api|connections)(\/|$)/.test(path));
  expect(older.length).toBeGreaterThan(15);
  expect(found.filter(({ deprecated }) => deprecated)).toEqual(older);
});
