import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startLocalPostgres } from '../../scripts/setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../../scripts/setup/postgres-binaries.mjs';
import type { Connection } from '../../src/engines/engine.ts';
import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { comparable, dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { freshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { until } from '../support/until.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

const run = promisify(execFile);
/** It comes with the client packages of its major, but not with every build of the server. */
const baseBackup =
  newestPostgresServer()
    .clientBinDirs.map((bin) => join(bin, 'pg_basebackup'))
    .find((file) => file.includes('/15/') && existsSync(file)) ?? '';
const CREDENTIALS = { username: 'backstop', password: 'not-a-secret-for-tests' };

let folder: string;
let engine: PostgresEngine;
let primary: Awaited<ReturnType<typeof startLocalPostgres>>;
let standby: Connection;
let stopStandby: () => Promise<void>;

describe.skipIf(baseBackup === '')('a standby (needs pg_basebackup 15)', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-standby-'));
    engine = postgresEngine(newestPostgresServer().clientBinDirs, join(folder, 'work'));
    const bin = await ensurePostgresBinaries(15);
    primary = await startLocalPostgres({ bin, ...CREDENTIALS, settings: ['fsync=off', 'wal_level=replica'] });
    await withClient(primary.port, async (client) => {
      await client.query(
        `CREATE TABLE kept AS SELECT i FROM generate_series(1, 1000) i; CREATE UNLOGGED TABLE lost (i int); INSERT INTO lost VALUES (1)`,
      );
    });
    ({ connection: standby, stop: stopStandby } = await startStandby(bin));
  });
  afterAll(async () => {
    await stopStandby?.();
    await primary?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('is dumped in a counted snapshot like any server; unlogged tables come without rows', async () => {
    const report = await engine.probe(standby, plainCall());
    expect(report.server.details).toMatchObject({
      is_standby: true,
      lsn: expect.stringMatching(/^[0-9A-F]+\//),
    });
    expect(report.warnings).toMatchObject([
      { code: 'standby', detail: expect.stringContaining('public.lost') },
    ]);
    const { bytes, content } = await dumped(engine, standby, { hashContent: true });
    expect(content.items.map(({ name, rows }) => [name, rows])).toEqual([
      ['public.kept', 1000],
      ['public.lost', 0],
    ]);
    const server = newestPostgresServer();
    await using target = await freshDatabase(server, 'standby_target');
    const connection = connectionTo(server, target.name);
    await engine.restore(connection, piecesOf(bytes), { format: 'custom', workDir: folder }, plainCall());
    const found = await engine.measure(connection, { hashContent: true }, plainCall());
    expect(comparable({ ...found, schema: content.schema })).toEqual(comparable(content));
  });
});

async function startStandby(bin: string): Promise<{ connection: Connection; stop(): Promise<void> }> {
  const account = await serverAccount();
  if (account) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', PGPASSWORD: primary.password };
  const from = ['-h', primary.host, '-p', String(primary.port), '-U', primary.username];
  await run(
    '/usr/lib/postgresql/15/bin/pg_basebackup',
    ['-D', data, '-R', '-X', 'stream', '-c', 'fast', ...from],
    {
      ...account,
      env,
      cwd: folder,
    },
  );
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'hot_standby=on',
  ];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(bin, 'postgres'), args, { ...account, env, cwd: folder, stdio: 'ignore' });
  const exited = once(server, 'exit');
  await until('the standby', () => withClient(port, async () => true).catch(() => false));
  const connection = {
    host: '127.0.0.1',
    port,
    ...CREDENTIALS,
    databaseName: 'postgres',
    tls: { mode: 'prefer' as const },
  };
  return {
    connection,
    stop: async () => {
      server.kill('SIGINT');
      await exited;
    },
  };
}

/** PostgreSQL refuses to run as root. */
async function serverAccount(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function withClient<T>(port: number, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { username: user, password } = CREDENTIALS;
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
