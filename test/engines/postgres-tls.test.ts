import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startLocalPostgres } from '../../scripts/setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../../scripts/setup/postgres-binaries.mjs';
import type { Connection, TlsChoice } from '../../src/engines/engine.ts';
import type { PostgresEngine } from '../../src/engines/postgres/postgres.engine.ts';
import { dumped, plainCall } from '../contracts/engine-under-test.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { makeCertificate } from '../support/certificates.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

const run = promisify(execFile);

let folder: string;
let engine: PostgresEngine;
let server: Awaited<ReturnType<typeof startLocalPostgres>>;
let ca: string;
let otherCa: string;
let client: { cert: string; key: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-tls-'));
  await chmod(folder, 0o755);
  engine = postgresEngine(newestPostgresServer().clientBinDirs, join(folder, 'work'));
  ({ cert: ca } = await makeCertificate(folder, 'ca', 'Test CA'));
  ({ cert: otherCa } = await makeCertificate(folder, 'other', 'Other CA'));
  await makeCertificate(folder, 'server', 'localhost', 'ca');
  client = await makeCertificate(folder, 'client', 'certified', 'ca');
  // The server wants its key for itself, or for its group when root owns it.
  if (process.getuid?.() === 0) {
    const { stdout } = await run('id', ['-g', 'postgres']).catch(() => run('id', ['-g', 'nobody']));
    await chown(join(folder, 'server.key'), 0, Number(stdout));
    await chmod(join(folder, 'server.key'), 0o640);
  }
  const rules = join(folder, 'pg_hba.conf');
  await writeFile(
    rules,
    'hostssl all certified 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
  );
  server = await startLocalPostgres({
    bin: await ensurePostgresBinaries(15),
    username: 'backstop',
    password: 'not-a-secret-for-tests',
    settings: [
      'fsync=off',
      'ssl=on',
      `ssl_cert_file=${join(folder, 'server.crt')}`,
      `ssl_key_file=${join(folder, 'server.key')}`,
      `ssl_ca_file=${join(folder, 'ca.crt')}`,
      `hba_file=${rules}`,
    ],
  });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** `localhost` is the name in the certificate, 127.0.0.1 the same place by another name. */
function connection(tls: TlsChoice, more: Partial<Connection> = {}): Connection {
  const { port, username, password } = server;
  return { host: 'localhost', port, username, password, databaseName: 'postgres', tls, ...more };
}

describe('an encrypted connection', () => {
  test.each<[string, () => Connection]>([
    ['is used when the server offers it', () => connection({ mode: 'prefer' })],
    ['is demanded without asking who signed', () => connection({ mode: 'require' })],
    ['is demanded, and an unfit CA does not matter', () => connection({ mode: 'require', ca: otherCa })],
    ['checks who signed', () => connection({ mode: 'verify-ca', ca }, { host: '127.0.0.1' })],
    ['checks who signed, and the name', () => connection({ mode: 'verify-full', ca })],
    [
      'shows a certificate instead of a password',
      () =>
        connection({ mode: 'verify-full', ca, ...client }, { username: 'certified', password: undefined }),
    ],
  ])('%s: probe and dump', async (_, to) => {
    await using admin = await superuser();
    await admin.ensureRole('certified');
    await expect(engine.probe(to(), plainCall())).resolves.toMatchObject({ warnings: expect.any(Array) });
    const { bytes } = await dumped(engine, to());
    expect(bytes.length).toBeGreaterThan(0);
  });

  test.each<[string, () => Connection, string]>([
    ['the wrong CA', () => connection({ mode: 'verify-ca', ca: otherCa }), 'tls-failed'],
    ['public CAs only', () => connection({ mode: 'verify-full' }), 'tls-failed'],
    ['another name', () => connection({ mode: 'verify-full', ca }, { host: '127.0.0.1' }), 'tls-failed'],
    ['no encryption where it is demanded', () => connection({ mode: 'disable' }), 'tls-failed'],
    [
      'no certificate where it is demanded',
      () => connection({ mode: 'require' }, { username: 'certified' }),
      'authentication-failed',
    ],
  ])('is refused with %s', async (_, to, code) => {
    await expect(engine.probe(to(), plainCall())).rejects.toMatchObject({ code, retryable: false });
  });

  test('is refused by a server that has none, unless it is only preferred', async () => {
    const plain = connectionTo(newestPostgresServer(), 'postgres');
    await expect(engine.probe({ ...plain, tls: { mode: 'require' } }, plainCall())).rejects.toMatchObject({
      code: 'tls-failed',
    });
    await expect(engine.probe({ ...plain, tls: { mode: 'prefer' } }, plainCall())).resolves.toBeDefined();
  });
});

async function superuser(): Promise<AsyncDisposable & { ensureRole(name: string): Promise<void> }> {
  const { default: pg } = await import('pg');
  const { port, username: user, password } = server;
  const admin = new pg.Client({ host: 'localhost', port, user, password, database: 'postgres', ssl: { ca } });
  await admin.connect();
  return {
    ensureRole: async (name) => {
      const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
      if (rowCount === 0) await admin.query(`CREATE ROLE ${pg.escapeIdentifier(name)} LOGIN`);
    },
    [Symbol.asyncDispose]: () => admin.end(),
  };
}
