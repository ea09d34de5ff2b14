import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { type Service, startFailingService, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

/** What every problem has. */
interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  request_id: string;
  errors?: { pointer: string; detail: string }[];
}

describe('a start with wrong settings', () => {
  it('lists every wrong setting by its name, shows no secret, and ends with 1', async () => {
    const exit = await startFailingService({
      env: {
        PORT: '80000',
        LOG_LEVEL: 'loud',
        TIMEZONE: 'Mars/Olympus',
        STALL_SECONDS: '10s',
        CORS_ORIGINS: 'https://ok.example, nonsense',
        BACKSTOP_SECRET_KEY: 'short-secret',
        BACKUP_DIR: '/somewhere',
        BACKUP_DIR_FILE: '/nowhere',
        DATABASE_URL_FILE: '/does/not/exist',
      },
    });
    expect(exit.code).toBe(1);
    expect(exit.stdout).toBe('');
    const lines = exit.stderr.trim().split('\n');
    expect(lines[0]).toBe('Backstop cannot start. config-invalid: 8 settings are wrong:');
    const named = lines.slice(1).map((line) => line.trim().split(' ', 1)[0]);
    expect(named.toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'BACKSTOP_SECRET_KEY',
      'BACKUP_DIR',
      'CORS_ORIGINS',
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
      'STALL_SECONDS',
      'TIMEZONE',
    ]);
    expect(exit.stderr).not.toContain('short-secret');
  });

  it('takes a setting from a file, without the newline at its end', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'backstop-settings-'));
    await writeFile(join(folder, 'level'), 'nonsense\n');
    const exit = await startFailingService({ env: { LOG_LEVEL_FILE: join(folder, 'level') } });
    expect(exit.stderr).toContain('LOG_LEVEL');
    expect(exit.stderr).toContain('not "nonsense"');
    await rm(folder, { recursive: true });
  });
});

describe('a start on a catalog that cannot be used', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-catalog-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('refuses a file that is no catalog, and leaves it as it was', async () => {
    const path = join(folder, 'letter.db');
    await writeFile(path, 'Dear Sir or Madam, this is not a database. '.repeat(100));
    const exit = await startFailingService({ env: { DATABASE_PATH: path } });
    expect(exit.code).toBe(1);
    expect(exit.stderr).toContain(`catalog-corrupt: the catalog ${path} is damaged`);
  });

  it('refuses a folder that cannot be made', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const exit = await startFailingService({
      env: { DATABASE_PATH: join(file, 'backup.db'), SECRET_KEY_PATH: join(folder, 'secret.key') },
    });
    expect(exit.code).toBe(1);
    expect(exit.stderr).toContain('catalog-not-writable');
  });

  it('says in a sentence that its port is taken', async () => {
    await using first = await startService();
    const exit = await startFailingService({ env: { PORT: new URL(first.url).port } });
    expect(exit.code).toBe(1);
    expect(exit.stderr).toBe(
      'Backstop cannot start. Another program listens on PORT already; end it, or choose another PORT.\n',
    );
  });

  it('refuses a PostgreSQL server that does not answer, and shows no password', async () => {
    const exit = await startFailingService({
      env: { DATABASE_URL: 'postgres://backstop:not-a-secret@127.0.0.1:1/catalog' },
    });
    expect(exit.code).toBe(1);
    expect(exit.stderr).toContain('catalog-unreachable: the catalog at 127.0.0.1:1/catalog cannot be used');
    expect(exit.stderr).not.toContain('not-a-secret');
  });
});

/** What a browser gets whose page's own name leads to the service. */
async function askedAs(
  service: Service,
  host: string,
  path = '/health/live',
): Promise<{ status?: number; text: string }> {
  return new Promise((resolve, reject) => {
    httpRequest(`${service.url}${path}`, { headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the name under which it is asked', () => {
  it('must be one of loopback while the service listens on loopback', async () => {
    await using service = await startService();
    for (const host of ['localhost', 'localhost:8000', '127.0.0.1', '[::1]:1']) {
      expect((await askedAs(service, host)).status, host).toBe(200);
    }
    for (const path of ['/databases', '/docs', '/metrics', '/']) {
      const refused = await askedAs(service, 'rebound.example.com:8000', path);
      expect(refused.status, path).toBe(421);
      expect(JSON.parse(refused.text)).toMatchObject({
        code: 'host-not-allowed',
        status: 421,
        facts: { host: 'rebound.example.com:8000' },
      });
    }
  });

  it('may be another one that the settings name', async () => {
    await using service = await startService({ env: { ALLOWED_HOSTS: 'backups.example.com' } });
    expect((await askedAs(service, 'backups.example.com')).status).toBe(200);
    expect((await askedAs(service, 'other.example.com')).status).toBe(421);
  });
});

describe('a running service', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(async () => {
    await service.stop();
  });

  /** Asks, and checks what holds for every problem. */
  async function problem(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Problem> {
    const answer = await service.request<Problem>(method, path, body, headers);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toMatchObject({
      status: answer.status,
      type: `/docs/problems/${answer.body.code}`,
      instance: path.split('?', 1)[0],
      request_id: answer.headers.get('x-request-id'),
    });
    expect(answer.body.title).not.toBe(answer.body.code);
    return answer.body;
  }

  it('says what it is, and sends a browser to the documentation', async () => {
    const answer = await service.request('GET', '/');
    expect(answer.body).toEqual({
      name: 'backstop',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      docs: '/docs',
    });
    const browser = await service.request('GET', '/', undefined, {
      accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    });
    expect(browser.status).toBe(302);
    expect(browser.headers.get('location')).toBe('/docs');
  });

  it('keeps its files for its own user', async () => {
    const modes = await Promise.all(
      ['data', 'data/backup.db', 'data/backup.db.lock'].map(async (name) => {
        const { mode } = await stat(join(service.dataDir, name));
        return (mode & 0o777).toString(8);
      }),
    );
    expect(modes).toEqual(['700', '600', '600']);
  });

  it('lives, is ready, and has its catalog', async () => {
    expect(await service.request('GET', '/health/live')).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
    expect(await service.request('GET', '/health/db')).toMatchObject({
      status: 200,
      body: { status: 'ok', details: { catalog: { status: 'up', kind: 'sqlite' } } },
    });
    // A probe of a service that died in the middle of one.
    const folder = join(service.dataDir, 'data', 'backups', 'health');
    await mkdir(folder);
    await writeFile(join(folder, 'probe-019abc00-0000-7000-8000-000000000001'), 'ready');
    const ready = await service.request('GET', '/health/ready');
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' }); // the folder goes with its last file
    expect(ready).toMatchObject({
      status: 200,
      body: { status: 'ok', details: { catalog: { status: 'up' }, destination: { status: 'up' } } },
    });
  });

  it('answers an unknown path and an unknown method with a problem', async () => {
    expect(await problem('GET', '/no/such/path')).toMatchObject({ status: 404, code: 'route-not-found' });
    expect(await problem('GET', '/docs/problems/%zz')).toMatchObject({
      status: 400,
      code: 'invalid-request',
    });
  });

  it('answers a known path with another method with those that it takes', async () => {
    for (const [method, path, allowed] of [
      ['DELETE', '/health/live', 'GET, HEAD'],
      ['PUT', '/databases', 'GET, HEAD, POST'],
      ['PUT', '/databases/shop', 'DELETE, GET, HEAD, PATCH'],
      ['GET', '/backups/cleanup/now', undefined],
    ] as const) {
      const answer = await service.request(method, path);
      expect(answer.headers.get('allow') ?? undefined, path).toBe(allowed);
      const code = allowed === undefined ? 'route-not-found' : 'method-not-allowed';
      expect(answer.body, path).toMatchObject({ status: allowed === undefined ? 404 : 405, code });
      if (allowed !== undefined)
        expect(answer.body['detail']).toBe(`there is no ${method} ${path}; it takes ${allowed}`);
    }
  });

  it.each([
    [
      '/backups?from=yesterday',
      '/from must be a time such as 2026-11-01T03:00:00Z, or a day such as 2026-11-01 (in UTC)',
    ],
    [
      '/backups?to=2026-02-30',
      '/to must be a time such as 2026-11-01T03:00:00Z, or a day such as 2026-11-01 (in UTC)',
    ],
    ['/backups?from=2026-01-01&from=2026-01-02', '/from must be a time such as'],
    ['/backups?limit=many', '/limit must be an integer number'],
    ['/backups?limit=501', '/limit must not be greater than 500'],
    ['/backups?limit=0&stauts=x', '/stauts is not a known field; /limit must not be less than 1'],
    ['/backups?status=done', '/status each value must be one of the following values: queued, running,'],
    ['/backups?q=%00', 'a NUL character (%00) stands in the address'],
    ['/backups/shop%00', 'a NUL character (%00) stands in the address'],
  ])('says what is wrong with %s', async (path, detail) => {
    const found = await problem('GET', path);
    expect(found).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(found.detail).toContain(detail);
  });

  it('refuses a NUL anywhere in a body, by its place', async () => {
    const body = { name: 'a', options: { exclude_tables: ['b', 'c\0'] }, host: '\0' };
    expect(await problem('POST', '/databases', JSON.stringify(body))).toMatchObject({
      status: 400,
      detail: '/options/exclude_tables/1 holds a NUL character; /host holds a NUL character',
    });
  });

  it('refuses bodies that are no JSON, of another type, or too large', async () => {
    const json = { 'content-type': 'application/json' };
    expect(await problem('POST', '/', '{"name": ', json)).toMatchObject({
      status: 400,
      code: 'invalid-json',
    });
    expect(await problem('POST', '/', [])).toMatchObject({ status: 400, code: 'invalid-json' });
    expect(await problem('POST', '/', '"a text"', json)).toMatchObject({ status: 400, code: 'invalid-json' });
    expect(
      await problem('POST', '/', 'name=shop', { 'content-type': 'application/x-www-form-urlencoded' }),
    ).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    expect(await problem('POST', '/', { text: 'x'.repeat(300_000) })).toMatchObject({
      status: 413,
      code: 'body-too-large',
    });
  });

  it('takes a sane request id, replaces another, and logs it', async () => {
    const id = 'deploy-2026.11/7';
    const named = await service.request('GET', '/no/such/path', undefined, { 'x-request-id': id });
    expect(named.headers.get('x-request-id')).toBe(id);
    const forged = await service.request('GET', '/no/such/path', undefined, {
      'x-request-id': '{"level":"fatal"}',
    });
    expect(forged.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await expect
      .poll(() => service.logs().filter((line) => line['request_id'] === id))
      .toMatchObject([{ level: 'warn', req: { method: 'GET', url: '/no/such/path' }, res: { status: 404 } }]);
  });

  it('logs JSON lines with times, none for health checks, and no header that holds a credential', async () => {
    await service.request('GET', '/', undefined, { authorization: 'Bearer not-a-secret' });
    await service.request('GET', '/health/live');
    await service.request('GET', '/docs/problems/not-ready');
    await expect.poll(() => JSON.stringify(service.logs())).toContain('/docs/problems/not-ready');
    const text = JSON.stringify(service.logs());
    expect(service.logs().filter((line) => line.level === 'error')).toEqual([]);
    expect(service.logs().map((line) => line.context)).not.toContain('RouterExplorer');
    expect(text).not.toContain('not-a-secret');
    expect(text).not.toContain('/health');
    for (const line of service.logs()) {
      expect(line).toMatchObject({ time: expect.stringMatching(/^\d{4}-.*Z$/), msg: expect.any(String) });
    }
  });

  it('serves the documentation, as a page and for programs', async () => {
    const page = await service.request('GET', '/docs');
    expect(page.status).toBe(200);
    expect(page.text).toContain('Backstop API');
    const document = await service.request<{ paths: Record<string, unknown> }>('GET', '/docs-json');
    expect(Object.keys(document.body.paths)).toContain('/health/ready');
    expect((await service.request('GET', '/docs-yaml')).text).toContain('openapi:');
  });

  it('serves the page of each problem, as text and for a browser', async () => {
    const { type } = await problem('GET', '/no/such/path');
    const text = await service.request('GET', type);
    expect(text.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(text.text).toMatch(/^# There is no such operation\n/);
    const page = await service.request('GET', type, undefined, { accept: 'text/html' });
    expect(page.text).toContain('<title>There is no such operation</title>');
    expect(page.text).toMatch(/<h1>There is no such operation<\/h1>\n<p>HTTP status 404<\/p>\n<p><strong>/);
    for (const path of ['/docs/problems/nonsense', '/docs/problems/..%2F..%2FREADME']) {
      expect(await problem('GET', path)).toMatchObject({ status: 404, code: 'problem-page-not-found' });
    }
  });

  it('refuses a second service on its catalog, and goes on', async () => {
    const exit = await startFailingService({ dataDir: service.dataDir });
    expect(exit.code).toBe(1);
    expect(exit.stderr).toContain('catalog-in-use: another Backstop is running on the catalog');
    expect((await service.request('GET', '/health/db')).status).toBe(200);
  });

  it('lets pages of other origins in only when told', async () => {
    const origin = 'https://backups.example.com';
    const closed = await service.request('GET', '/', undefined, { origin });
    expect(closed.headers.get('access-control-allow-origin')).toBeNull();
    await using open = await startService({ env: { CORS_ORIGINS: `${origin},https://b.example` } });
    const allowed = await open.request('GET', '/', undefined, { origin });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
    const other = await open.request('GET', '/', undefined, { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a service with its catalog in PostgreSQL', () => {
  it('is ready while it can write there, and is so again after the server has ended its connections', async () => {
    const server = newestPostgresServer();
    await using database = await freshDatabase(server, 'catalog_e2e');
    const { username, password, host, port } = server;
    await using service = await startService({
      env: { DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${database.name}` },
    });
    expect((await service.request('GET', '/health/ready')).status).toBe(200);
    expect((await service.request('GET', '/health/db')).body).toMatchObject({
      details: { catalog: { status: 'up', kind: 'postgres' } },
    });
    const ended = await sql(
      server,
      'postgres',
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = $2',
      [database.name, 'backstop'],
    );
    expect(ended.length).toBeGreaterThan(0);
    // There are several connections, each of which may be the one that finds out that it has been ended.
    for (const path of ['/health/ready', '/health/db']) {
      await until(`${path} to be well`, async () => (await service.request('GET', path)).status === 200);
    }
    expect(JSON.stringify(service.logs())).not.toContain(password);

    // Whoever can only read the catalog can do no work.
    await sql(server, database.name, 'ALTER TABLE readiness RENAME TO readiness_away');
    const refused = await until('the service not to be ready', async () => {
      const answer = await service.request<Problem>('GET', '/health/ready');
      return answer.status !== 200 && answer;
    });
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'not-ready', facts: { catalog: { status: 'down' }, destination: { status: 'up' } } },
    });
    expect((await service.request('GET', '/health/db')).status).toBe(200);
    await sql(server, database.name, 'ALTER TABLE readiness_away RENAME TO readiness');
    await until(
      'the service to be ready again',
      async () => (await service.request('GET', '/health/ready')).status === 200,
    );
  });
});

describe('a service that is not ready', () => {
  it('says which part, and still lives', async () => {
    await using service = await startService();
    const backups = join(service.dataDir, 'data/backups');
    await rm(backups, { recursive: true, force: true });
    await writeFile(backups, 'a file where the folder should be');
    const ready = await service.request<Problem>('GET', '/health/ready');
    expect(ready).toMatchObject({
      status: 503,
      body: { code: 'not-ready', facts: { catalog: { status: 'up' }, destination: { status: 'down' } } },
    });
    expect((await service.request('GET', '/health/live')).status).toBe(200);
  });
});

describe('the end of a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends well at %s, also with an open idle connection',
    async (signal) => {
      const service = await startService();
      const idle = connect(Number(new URL(service.url).port), '127.0.0.1');
      idle.on('error', () => undefined);
      await new Promise((resolve) => idle.once('connect', resolve));
      const asked = performance.now();
      const exit = await service.stop(signal);
      idle.destroy();
      // By itself Node gives such a connection a minute.
      expect(performance.now() - asked).toBeLessThan(40_000);
      expect(exit).toMatchObject({ code: 0, signal: null, stderr: '' });
      expect(exit.stdout).toContain('Backstop is stopping');
    },
  );

  it('after kill -9 the next one starts on the same catalog at once, without what the dead one left', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'backstop-kept-'));
    const killed = await startService({ dataDir });
    const [own = ''] = await readdir(join(dataDir, 'data/work'));
    const left = join(dataDir, 'data/work', own, 'password-file');
    const foreign = join(dataDir, 'data/work', 'of-somebody-else');
    for (const path of [left, foreign]) await writeFile(path, 'not-a-secret');
    await killed.stop('SIGKILL');
    const next = await startService({ dataDir });
    expect((await next.request('GET', '/health/ready')).status).toBe(200);
    await expect(stat(left)).rejects.toThrow('ENOENT');
    expect((await stat(foreign)).size).toBe(12);
    await next.stop();
    await rm(dataDir, { recursive: true });
  });
});
