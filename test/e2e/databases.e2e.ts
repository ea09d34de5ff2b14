import { Buffer } from 'node:buffer';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Answer, type Service, startService } from '../support/service.ts';

/** What the service answers about a database. */
interface DatabaseBody {
  id: string;
  name: string;
  port: number;
  created_at: string;
  updated_at: string;
  warnings: { code: string; detail: string }[];
  [field: string]: unknown;
}

interface ProblemBody {
  type: string;
  title: string;
  detail: string;
  code: string;
  facts?: Record<string, unknown>;
  errors?: { pointer: string; detail: string }[];
}

const shop = { name: 'shop', engine: 'postgres', host: 'db.example.com', database_name: 'shop' };

let service: Service;

beforeAll(async () => {
  service = await startService({
    env: {
      BACKSTOP_SECRET_KEY: 'an obviously fake passphrase for tests',
      SHOP_PASSWORD: 'fake-password-from-variable',
    },
  });
});
afterAll(() => service.stop());

async function post(body: object): Promise<Answer<DatabaseBody>> {
  return service.request<DatabaseBody>('POST', '/databases', body);
}

/** Registers a database under a name of its own, and gives what was answered. */
async function registered(name: string, more: object = {}): Promise<DatabaseBody> {
  const answer = await post({ ...shop, name, ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

async function patch(id: string, body: object): Promise<Answer<DatabaseBody>> {
  return service.request<DatabaseBody>('PATCH', `/databases/${id}`, body);
}

async function read(id: string): Promise<DatabaseBody> {
  return (await service.request<DatabaseBody>('GET', `/databases/${id}`)).body;
}

function expectProblem(answer: Answer<unknown>, status: number, code: string): ProblemBody {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { code } });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const problem = answer.body as ProblemBody;
  // Every code has a page with a title of its own.
  expect(problem.title).not.toBe(code);
  return problem;
}

describe('registering a database', () => {
  it('answers with the record, its path, and no password', async () => {
    const answer = await post({ ...shop, username: 'app', password: 'fake-password' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/databases/${answer.body.id}`);
    expect(answer.body).toEqual({
      ...shop,
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) as string,
      port: 5432,
      username: 'app',
      password: 'set',
      tls: { mode: 'prefer' },
      options: {},
      created_at: expect.stringMatching(/Z$/) as string,
      updated_at: answer.body.created_at,
      warnings: [],
    });
    const { warnings, ...record } = answer.body;
    expect(warnings).toEqual([]);
    expect(await read(answer.body.id)).toEqual(record);
    expect(await read('shop')).toEqual(record);
  });

  it('takes a URI apart and keeps nothing of it', async () => {
    const uri =
      'postgresql://app:fake%2Fpassword@[::1]:5433/My%20%22Shop%22%20%F0%9F%9B%92?sslmode=verify-full';
    const answer = await post({ name: 'by-uri', engine: 'postgres', uri });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      host: '::1',
      port: 5433,
      database_name: 'My "Shop" 🛒',
      username: 'app',
      password: 'set',
      tls: { mode: 'verify-full' },
    });
    expect(answer.body).not.toHaveProperty('uri');
  });

  it('keeps the options that were set', async () => {
    const options = {
      format: 'plain',
      compression: 'gzip',
      compression_level: 9,
      exclude_tables: ['public.sessions', 'My "Schema".a b'],
      schemas: ['public'],
      include_roles: true,
      hash_content: true,
      timeout_seconds: 7200,
      stall_seconds: 60,
    };
    expect((await registered('with-options', { options })).options).toEqual(options);
  });

  it('takes any name that a database can have on its server', async () => {
    for (const [at, name] of ['-c', "it's", 'a"b', 'two\nlines', 'a/../b', 'ü'.repeat(31)].entries()) {
      expect((await registered(`odd-${at}`, { database_name: name })).database_name).toBe(name);
    }
  });

  it('warns of a variable that is not set, and takes it all the same', async () => {
    const { warnings, ...body } = await registered('by-variable', {
      username_var: 'NO_SUCH_USER',
      password_var: 'SHOP_PASSWORD',
    });
    expect(body).toMatchObject({ username_var: 'NO_SUCH_USER', password_var: 'SHOP_PASSWORD' });
    expect(body).not.toHaveProperty('password');
    expect(warnings).toEqual([
      { code: 'variable-missing', detail: expect.stringContaining('NO_SUCH_USER') as string },
    ]);
  });

  it('gives a name to one of many who want it at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post({ ...shop, name: 'wanted' })));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(7);
    for (const answer of refused) expectProblem(answer, 409, 'database-name-taken');
  });
});

describe('a registration that is refused', () => {
  const uri = 'postgres://app:fake-password@db:5432/shop?sslmode=require';

  it.each<[code: string, body: object]>([
    ['engine-unknown', { engine: 'oracle' }],
    ['engine-unknown', { engine: '' }],
    ['database-name-invalid', { name: '../x' }],
    ['database-name-invalid', { name: '' }],
    ['database-name-invalid', { name: '..' }],
    ['database-name-invalid', { name: 'x'.repeat(64) }],
    ['invalid-request', { name: 'a\0b' }],
    ['database-name-invalid', { name: '019abc00-0000-7000-8000-000000000001' }],
    ['port-invalid', { port: 0 }],
    ['port-invalid', { port: 65_536 }],
    ['port-invalid', { port: 5432.5 }],
    ['port-invalid', { host: undefined, database_name: undefined, uri: 'postgres://db:70000/shop' }],
    ['host-invalid', { host: '' }],
    ['host-invalid', { host: 'postgres://db' }],
    ['host-invalid', { host: 'db:5432' }],
    ['invalid-request', { host: 'db\0' }],
    ['remote-name-invalid', { database_name: '' }],
    ['invalid-request', { database_name: 'a\0b' }],
    ['remote-name-invalid', { database_name: 'x'.repeat(64) }],
    ['connection-incomplete', { host: undefined }],
    ['connection-incomplete', { database_name: undefined }],
    ['connection-incomplete', { host: undefined, database_name: undefined, uri: 'postgres://db' }],
    ['credentials-ambiguous', { password: 'fake-password', password_var: 'SHOP_PASSWORD' }],
    ['credentials-ambiguous', { username: 'app', username_var: 'SHOP_USER' }],
    ['credentials-ambiguous', { host: undefined, database_name: undefined, uri, password: 'fake-password' }],
    ['credentials-invalid', { password: '' }],
    ['invalid-request', { password: 'fake\0password' }],
    ['credentials-invalid', { password_var: '$SHOP_PASSWORD' }],
    ['connection-ambiguous', { uri }],
    ['uri-invalid', { uri: 'mysql://app:fake-password@db/shop' }],
    ['uri-invalid', { uri: 'postgres://app:fake-pass@word@db/shop' }],
    ['uri-parameter-unknown', { uri: 'postgres://app:fake-password@db/shop?target_session_attrs=any' }],
    ['tls-invalid', { tls: { mode: 'verify-ca', ca: '/etc/ssl/ca.pem' } }],
    ['tls-invalid', { tls: { cert: 'fake' } }],
    ['options-invalid', { options: { format: 'archive' } }],
    ['options-invalid', { options: { compression: 'gzip', compression_level: 10 } }],
    ['options-invalid', { options: { compression: 'none', compression_level: 1 } }],
    ['options-invalid', { options: { exclude_tables: ['sessions'] } }],
    ['options-invalid', { options: { stall_seconds: 0 } }],
  ])('has the code %s: %j', async (code, body) => {
    const answer = await post({ ...shop, name: 'refused', ...body });
    expectProblem(answer, 400, code);
    expect(answer.text).not.toMatch(/fake|@word/);
    expectProblem(await service.request('GET', '/databases/refused'), 404, 'database-not-found');
  });

  it.each<[pointers: string[], body: object]>([
    [['/schedule', '/retention_days'], { schedule: 3, retention_days: '7' }],
    [['/destinations'], { destinations: ['local'] }],
    [['/id'], { id: '019abc00-0000-7000-8000-000000000001' }],
    [['/name'], { name: 7 }],
    [['/port'], { port: '5432' }],
    [['/options/format'], { options: { format: 'zip' } }],
    [['/options/compresion'], { options: { compresion: 'zstd' } }],
    [['/options/exclude_tables'], { options: { exclude_tables: 'public.sessions' } }],
    [['/options'], { options: [] }],
    [['/tls/mode'], { tls: { mode: 'sometimes' } }],
    [['/tls'], { tls: 'require' }],
  ])('names every field that is not acceptable: %j', async (pointers, body) => {
    const problem = expectProblem(await post({ ...shop, name: 'refused', ...body }), 400, 'invalid-request');
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(pointers));
  });

  it('lists the engines that there are', async () => {
    const problem = expectProblem(await post({ ...shop, engine: 'oracle' }), 400, 'engine-unknown');
    expect(problem.detail).toContain('postgres');
  });

  it('leads to a page that says what to do', async () => {
    const problem = expectProblem(await post({ ...shop, port: 0 }), 400, 'port-invalid');
    const page = await service.request('GET', problem.type);
    expect(page.status).toBe(200);
    expect(page.text).toContain(problem.title);
  });
});

describe('changing a database', () => {
  it('changes what is given and leaves the rest', async () => {
    const before = await registered('changing', { username: 'app', password: 'fake-password' });
    const { status, body } = await patch('changing', { username: 'app2', options: { stall_seconds: 60 } });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...before,
      username: 'app2',
      options: { stall_seconds: 60 },
      updated_at: body.updated_at,
    });
    expect(body.updated_at >= before.updated_at).toBe(true);
    expect(await read(before.id)).toMatchObject({ username: 'app2', password: 'set' });
  });

  it('sends a stored password to another server only when it is given again', async () => {
    const before = await registered('moving', { username: 'app', password: 'fake-password' });
    const refused = await patch('moving', { host: 'db2', port: 6543 });
    expect(refused).toMatchObject({
      status: 400,
      body: { code: 'password-needed', facts: { moved: ['host', 'port'] } },
    });
    expect(await read(before.id)).toMatchObject({ host: before.host, updated_at: before.updated_at });
    const moved = await patch('moving', { host: 'db2', password: 'fake-password' });
    expect(moved).toMatchObject({ status: 200, body: { host: 'db2', password: 'set' } });
  });

  it('changes every field', async () => {
    const { id, created_at: createdAt } = await registered('every-field', { password: 'fake-password' });
    const changes = {
      name: 'every-field-changed',
      host: 'db3',
      port: 6543,
      database_name: 'other',
      username: 'other',
      password_var: 'SHOP_PASSWORD',
      tls: { mode: 'require' },
      options: { compression: 'none' },
    };
    const { status, body } = await patch(id, changes);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, created_at: createdAt, ...changes });
    expect(body).not.toHaveProperty('password');
  });

  it('merges options, and goes back to a default by null', async () => {
    const options = { compression: 'zstd', compression_level: 19, include_roles: true };
    const { id } = await registered('merging', { options });
    expect((await patch(id, { options: { include_roles: null } })).body.options).toEqual({
      compression: 'zstd',
      compression_level: 19,
    });
    // The level was meant for zstd.
    expect((await patch(id, { options: { compression: 'gzip' } })).body.options).toEqual({
      compression: 'gzip',
    });
  });

  it('takes credentials away by null', async () => {
    const { id } = await registered('credentials', { username: 'app', password: 'fake-password' });
    const { body } = await patch(id, { username: null, password: null });
    expect(body).not.toHaveProperty('username');
    expect(body).not.toHaveProperty('password');
  });

  it.each<[status: number, code: string, body: object]>([
    [409, 'database-name-taken', { name: 'neighbour' }],
    [400, 'database-name-invalid', { name: '..' }],
    [400, 'port-invalid', { port: 0 }],
    [400, 'credentials-ambiguous', { password: 'fake-password', password_var: 'SHOP_PASSWORD' }],
    [400, 'options-invalid', { options: { compression_level: 23 } }],
    [400, 'invalid-request', { host: null }],
    [400, 'invalid-request', { engine: 'postgres' }],
    [400, 'schedule-invalid', { schedule: '60 3 * * *' }],
  ])('is refused with %i %s and changes nothing: %j', async (status, code, body) => {
    await service.request('DELETE', '/databases/neighbour');
    await registered('neighbour');
    const before = await read('changing');
    expectProblem(await patch('changing', { username: 'other', ...body }), status, code);
    expect(await read('changing')).toEqual(before);
  });

  it.each(['nobody', '..%2F..', 'x'.repeat(300), '019abc00-0000-7000-8000-000000000001'])(
    'does not find what is not there: %s',
    async (id) => {
      expectProblem(await patch(id, {}), 404, 'database-not-found');
      expectProblem(await service.request('GET', `/databases/${id}`), 404, 'database-not-found');
      expectProblem(await service.request('POST', `/databases/${id}/test`), 404, 'database-not-found');
    },
  );
});

describe('the list of databases', () => {
  it('gives all of them by name, in pages that lead to one another', async () => {
    for (const name of ['page-1', 'page-2', 'page-3']) await registered(name);
    const all = await service.request<DatabaseBody[]>('GET', '/databases?limit=500');
    const names = all.body.map(({ name }) => name);
    expect(names).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(all.headers.get('x-total-count')).toBe(String(names.length));

    const paged: string[] = [];
    let path: string | undefined = '/databases?limit=2';
    while (path !== undefined) {
      const page: Answer<DatabaseBody[]> = await service.request<DatabaseBody[]>('GET', path);
      expect(page.headers.get('x-total-count')).toBe(String(names.length));
      paged.push(...page.body.map(({ name }) => name));
      path = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(paged).toEqual(names);
  });

  it('refuses a cursor that it did not give, and a limit that is none', async () => {
    const withNul = Buffer.from(JSON.stringify(['a\0'])).toString('base64url');
    for (const cursor of ['nonsense', withNul]) {
      expectProblem(await service.request('GET', `/databases?cursor=${cursor}`), 400, 'invalid-cursor');
    }
    expectProblem(await service.request('GET', '/databases?limit=501'), 400, 'invalid-request');
  });
});

describe('removing a database', () => {
  it('removes the registration, and frees its name', async () => {
    const { id } = await registered('removing');
    const answer = await service.request('DELETE', `/databases/${id}`);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' });
    expectProblem(await service.request('GET', `/databases/${id}`), 404, 'database-not-found');
    expectProblem(await service.request('DELETE', `/databases/${id}`), 404, 'database-not-found');
    expect((await registered('removing')).id).not.toBe(id);
  });

  it('wants to know what becomes of the backups in words that it knows', async () => {
    await registered('removing-words');
    const answer = await service.request('DELETE', '/databases/removing-words?backups=perhaps');
    expect(expectProblem(answer, 400, 'invalid-request').errors).toMatchObject([{ pointer: '/backups' }]);
    expect((await service.request('GET', '/databases/removing-words')).status).toBe(200);
    expect((await service.request('DELETE', '/databases/removing-words?backups=delete')).status).toBe(204);
  });
});
