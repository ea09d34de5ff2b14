import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import { type Answer, type Service, startService } from '../support/service.ts';

interface ProbeBody {
  ok: boolean;
  server_version: string;
  size_bytes: number;
  table_count: number;
  tool: { name: string; version: string };
  latency_seconds: number;
  warnings: { code: string; detail: string }[];
}

interface EngineBody {
  engine: string;
  tools: { name: string; version: string; major: number; path: string }[];
}

const WRONG_PASSWORD = 'fake-and-wrong-password';
const KEY = 'an obviously fake passphrase for tests';
const OTHER_KEY = 'another obviously fake passphrase for tests';

/** Registers a database and gives its path. */
async function register(service: Service, body: object): Promise<string> {
  const answer = await service.request('POST', '/databases', { engine: 'postgres', ...body });
  expect(answer.status, answer.text).toBe(201);
  return answer.headers.get('location') ?? '';
}

async function test(service: Service, database: string): Promise<Answer<ProbeBody>> {
  return service.request<ProbeBody>('POST', `${database}/test`);
}

async function expectProblem(answer: Answer<unknown>, status: number, code: string): Promise<void> {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { code } });
}

/** Every byte that the service has put on its disk. */
async function diskOf(service: Service): Promise<Buffer> {
  const entries = await readdir(service.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(
    await Promise.all(files.map((file) => readFile(path.join(file.parentPath, file.name)))),
  );
}

/** How a secret could lie about. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Without its ends, which depend on what stands beside it.
  const base64 = bytes.toString('base64').slice(4, -4);
  return [secret, encodeURIComponent(secret), base64, bytes.toString('hex')];
}

describe('connections', () => {
  const server = newestPostgresServer();
  const { host, port, username, password } = server;
  let service: Service;

  beforeAll(async () => {
    service = await startService({
      env: {
        BACKSTOP_SECRET_KEY: KEY,
        LOG_LEVEL: 'trace',
        PG_BIN_DIRS: server.clientBinDirs.join(':'),
        SHOP_USER: username,
        SHOP_PASSWORD: password,
      },
    });
  });
  afterAll(() => service.stop());

  it.each(postgresServers())(
    'to PostgreSQL $major are tested, whatever the name of the database',
    async (one) => {
      await using database = await freshDatabase(one, `-c "Müller's" shop`);
      await sql(one, database.name, 'CREATE TABLE t (n int); CREATE TABLE "T 2" (n int)');
      const registered = await register(service, {
        name: `postgres-${one.major}`,
        host: one.host,
        port: one.port,
        database_name: database.name,
        username: one.username,
        password: one.password,
      });
      const { status, body } = await test(service, registered);
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { ok: true, table_count: 2, tool: { name: 'pg_dump' }, warnings: [] },
      });
      expect(body.server_version).toMatch(new RegExp(`^${one.major}\\b`));
      expect(Number.parseInt(body.tool.version, 10)).toBeGreaterThanOrEqual(one.major);
      expect(body.size_bytes).toBeGreaterThan(1_000_000);
      expect(body.latency_seconds).toBeGreaterThan(0);
      expect(body.latency_seconds).toBeLessThan(10);
    },
  );

  it('are made by an engine that tells of its tools, newest first', async () => {
    const { status, body } = await service.request<EngineBody[]>('GET', '/engines');
    expect(status).toBe(200);
    const postgres = body.find(({ engine }) => engine === 'postgres');
    expect(postgres).toMatchObject({
      default_port: 5432,
      formats: ['custom', 'plain'],
      item_word: 'table',
    });
    const majors = postgres?.tools.map(({ major }) => major) ?? [];
    expect(majors).toEqual(majors.toSorted((a, b) => b - a));
    expect(majors[0]).toBeGreaterThanOrEqual(server.major);
    expect(postgres?.tools[0]).toMatchObject({
      name: 'pg_dump',
      path: expect.stringMatching(/^\//) as string,
    });
  });

  it('work with variables, and with a URI', async () => {
    const variables = {
      host,
      port,
      database_name: 'postgres',
      username_var: 'SHOP_USER',
      password_var: 'SHOP_PASSWORD',
    };
    expect(
      (await test(service, await register(service, { name: 'by-variables', ...variables }))).status,
    ).toBe(200);
    const uri = `postgres://${username}:${encodeURIComponent(password)}@${host}:${port}/postgres?sslmode=prefer`;
    expect((await test(service, await register(service, { name: 'by-uri', uri }))).status).toBe(200);
  });

  it('fail by a wrong password until the right one is given', async () => {
    const login = { host, port, database_name: 'postgres', username, password: WRONG_PASSWORD };
    const database = await register(service, { name: 'wrong-password', ...login });
    await expectProblem(await test(service, database), 422, 'authentication-failed');
    await service.request('PATCH', database, { password });
    expect((await test(service, database)).status).toBe(200);
  });

  it('fail by a variable that is not set, named', async () => {
    const login = { host, port, database_name: 'postgres', username, password_var: 'NO_SUCH_PASSWORD' };
    const answer = await test(service, await register(service, { name: 'missing-variable', ...login }));
    await expectProblem(answer, 422, 'variable-missing');
    expect(answer.text).toContain('NO_SUCH_PASSWORD');
  });

  it('do not send our own secrets as a password', async () => {
    const login = { host, port, database_name: 'postgres', username, password_var: 'BACKSTOP_SECRET_KEY' };
    const answer = await test(service, await register(service, { name: 'our-secret', ...login }));
    await expectProblem(answer, 400, 'variable-reserved');
  });

  it('fail when the database is absent', async () => {
    const login = { host, port, username, password, database_name: 'no "such" database' };
    await expectProblem(
      await test(service, await register(service, { name: 'absent', ...login })),
      422,
      'database-absent',
    );
  });

  it('fail when nothing listens there', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const address = free.address() as AddressInfo;
    free.close();
    const login = { host: '127.0.0.1', port: address.port, username, password, database_name: 'postgres' };
    await expectProblem(
      await test(service, await register(service, { name: 'down', ...login })),
      503,
      'server-unreachable',
    );
  });

  it('fail when the server accepts and never answers, and let go of it', async () => {
    const silent = await startSilentServer();
    const login = { host: '127.0.0.1', port: silent.port, username, password, database_name: 'postgres' };
    const answer = await test(service, await register(service, { name: 'silent', ...login }));
    await expectProblem(answer, 504, 'server-timeout');
    expect(silent.sockets.length).toBeGreaterThan(0);
    await silent.allGone();
    silent.server.close();
  });

  it('leave no password in any answer, in the log or on the disk', async () => {
    const list = await service.request('GET', '/databases?limit=500');
    const disk = await diskOf(service);
    const log = JSON.stringify(service.logs()) + service.stderr();
    for (const text of [password, WRONG_PASSWORD, KEY].flatMap(spellings)) {
      expect(list.text).not.toContain(text);
      expect(log).not.toContain(text);
      expect(disk.includes(text), text).toBe(false);
    }
    // The search finds what is there.
    expect(list.text).toContain('wrong-password');
    expect(log).toContain('/databases');
    expect(disk.includes('wrong-password')).toBe(true);
    expect(disk.includes('v1.')).toBe(true);
  });
});

describe('the key of stored passwords', () => {
  const { host, port, username, password, clientBinDirs } = newestPostgresServer();
  const login = { host, port, username, password, database_name: 'postgres' };
  const tools = { PG_BIN_DIRS: clientBinDirs.join(':') };
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'backstop-key-'));
  });
  afterAll(() => rm(dataDir, { recursive: true }));

  it('is made at the first start, for its owner only, and opens them after a restart', async () => {
    const first = await startService({ dataDir, env: tools });
    const database = await register(first, { name: 'shop', ...login });
    await first.stop();
    const file = path.join(dataDir, 'data', 'secret.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(first.logs())).not.toContain((await readFile(file, 'utf8')).trim());

    await using second = await startService({ dataDir, env: tools });
    expect((await test(second, database)).status).toBe(200);
  });

  it('is missed when it is another, until they are given again', async () => {
    await using service = await startService({ dataDir, env: { ...tools, BACKSTOP_SECRET_KEY: OTHER_KEY } });
    await expectProblem(await test(service, '/databases/shop'), 422, 'secret-key-mismatch');
    expect((await service.request('GET', '/databases/shop')).body).toMatchObject({ password: 'set' });
    await service.request('PATCH', '/databases/shop', { password });
    expect((await test(service, '/databases/shop')).status).toBe(200);
  });
});

interface SilentServer {
  server: Server;
  port: number;
  sockets: readonly Socket[];
  /** Resolves when every connection that was made has been closed again. */
  allGone(): Promise<unknown>;
}

async function startSilentServer(): Promise<SilentServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closed = (socket: Socket): Promise<unknown> =>
    socket.closed ? Promise.resolve() : once(socket, 'close');
  return {
    server,
    sockets,
    port: (server.address() as AddressInfo).port,
    allGone: () => Promise.all(sockets.map(closed)),
  };
}
