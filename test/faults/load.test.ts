import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, register } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { often } from './intensity.ts';
import { METER_ENV, measure, openHandles } from './service-meter.ts';

const server = newestPostgresServer();
const prefix = `load_${randomBytes(4).toString('hex')}`;
const DATABASES = 50;
const REQUESTS = 200;
const CAP = 4;
const CAP_PER_HOST = 3;

const nameOf = (index: number): string => `${prefix}_${index}`;
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), ...METER_ENV };

beforeAll(async () => {
  await sql(server, 'postgres', `CREATE DATABASE ${nameOf(0)}`);
  await sql(
    server,
    nameOf(0),
    'CREATE TABLE t AS SELECT i, repeat(md5(i::text), 40) AS text FROM generate_series(1, 400) i',
  );
  for (let index = 1; index < DATABASES; index += 1) {
    await sql(
      server,
      'postgres',
      `CREATE DATABASE ${nameOf(index)} TEMPLATE ${nameOf(0)} STRATEGY file_copy`,
    );
  }
});
afterAll(async () => {
  for (let index = 0; index < DATABASES; index += 1) {
    await sql(server, 'postgres', `DROP DATABASE IF EXISTS ${nameOf(index)} WITH (FORCE)`);
  }
});

describe('200 requests at once for 50 databases', () => {
  test('none is lost, none is doubled, keys are honoured, and the caps hold', async () => {
    await using service = await startService({
      env: { ...env, MAX_CONCURRENT_BACKUPS: String(CAP), MAX_CONCURRENT_PER_HOST: String(CAP_PER_HOST) },
    });
    for (let index = 0; index < DATABASES; index += 1) {
      await register(service, server, nameOf(index), `d${index}`);
    }
    // Of the four requests for each database two share a key, so one of these may say the same as another; the rest is refused.
    const asking = Array.from({ length: REQUESTS }, (_, index) => {
      const database = `d${index % DATABASES}`;
      const key = index < 2 * DATABASES ? { 'idempotency-key': `key of ${database}` } : undefined;
      return service.request<BackupBody & { code?: string }>(
        'POST',
        '/backups',
        { database_id: database },
        key,
      );
    });
    let most = 0;
    let mostOfHost = 0;
    const watching = until(
      'all backups to end',
      async () => {
        const { body } = await service.request<BackupBody[]>('GET', '/backups?limit=500');
        const running = body.filter(({ status }) => status === 'running').length;
        const sessions = await dumpsOnServer();
        most = Math.max(most, running);
        mostOfHost = Math.max(mostOfHost, sessions);
        return body.length >= DATABASES && body.every(({ status }) => status === 'completed');
      },
      120_000,
    );
    const answers = await Promise.all(asking);
    await watching;
    const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => body.id);
    const refused = answers.filter(({ status }) => status !== 202);
    expect(
      refused.every(({ status, body }) => status === 409 && body.code === 'backup-already-running'),
    ).toBe(true);
    const { body: all } = await service.request<BackupBody[]>('GET', '/backups?limit=500');
    expect(new Set(accepted)).toEqual(new Set(all.map(({ id }) => id)));
    const perDatabase = Map.groupBy(
      all,
      (backup) => (backup as BackupBody & { database_name: string }).database_name,
    );
    expect(perDatabase.size).toBe(DATABASES);
    expect([...perDatabase.values()].every((backups) => backups.every(({ attempt }) => attempt === 1))).toBe(
      true,
    );
    for (let index = 0; index < DATABASES; index += 1) {
      const same = [answers[index], answers[index + DATABASES]].filter((answer) => answer?.status === 202);
      expect(new Set(same.map((answer) => answer?.body.id)).size).toBeLessThanOrEqual(1);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(Math.min(CAP, CAP_PER_HOST));
    expect(mostOfHost).toBeLessThanOrEqual(CAP_PER_HOST);
  });

  async function dumpsOnServer(): Promise<number> {
    const [row] = await sql<{ n: number }>(
      server,
      'postgres',
      `SELECT count(DISTINCT datname)::int AS n FROM pg_stat_activity WHERE starts_with(datname, $1) AND application_name ~ '^backstop [0-9a-f]+$'`,
      [prefix],
    );
    return row?.n ?? 0;
  }
});

describe('nothing is held for ever', () => {
  const big = `${prefix}_big`;
  /** 26 MB in an archive: more than all buffers on the way hold, so that a file that nobody reads on stays open. */
  const BIG_TABLE =
    'CREATE TABLE t AS SELECT i, repeat(md5(i::text), 400) AS text FROM generate_series(1, 2000) i';
  let service: Service;
  beforeAll(async () => {
    service = await startService({ env });
    await register(service, server, nameOf(0), 'shop', { options: { compression: 'none' } });
    await completedBackup(service, 'shop');
    await sql(server, 'postgres', `CREATE DATABASE ${big}`);
    await sql(server, big, BIG_TABLE);
    await register(service, server, big, 'big', { options: { compression: 'none' } });
  });
  afterAll(async () => {
    await service.stop();
    await sql(server, 'postgres', `DROP DATABASE IF EXISTS ${big} WITH (FORCE)`);
  });

  test.each(['', '?plain=true'])(
    'a client that goes away during a download%s, 200 times, leaves no handle',
    async (query) => {
      const { id } = await completedBackup(service, 'big');
      await leave(id, query, 10);
      const before = await openHandles(service);
      for (let round = 0; round < 10; round += 1) await leave(id, query, 20);
      await until('the handles to be closed', async () => (await openHandles(service)) <= before + 2);
      // Node closes what is forgotten when it comes by, and says so.
      expect(service.stderr()).not.toMatch(/garbage collection/i);
    },
  );

  /** So many clients at once that read the beginning of an archive and go. */
  async function leave(id: string, query: string, clients: number): Promise<void> {
    const visits = Array.from({ length: clients }, async () => {
      const gone = new AbortController();
      const answer = await fetch(`${service.url}/backups/${id}/download${query}`, { signal: gone.signal });
      await answer.body?.getReader().read();
      gone.abort();
    });
    await Promise.all(visits);
  }

  test(`${often(60, 500)} backups in one process leave handles, children, temporary files and heap as they were`, async () => {
    const rounds = often(60, 500);
    const warmUp = Math.floor(rounds / 4);
    for (let made = 0; made < warmUp; made += 1) await completedBackup(service, 'shop');
    const before = await measure(service);
    for (let made = warmUp; made < rounds; made += 1) await completedBackup(service, 'shop');
    const after = await measure(service);
    for (const [made, held] of [
      [warmUp, before],
      [rounds, after],
    ] as const) {
      process.stdout.write(`after ${made} backups: ${JSON.stringify(held)}\n`);
    }
    expect(after).toMatchObject({ children: 0, temporaryFiles: 0 });
    expect(after.handles).toBeLessThanOrEqual(before.handles + 2);
    // What one backup would have to leave to be a leak worth the name: 20 kB.
    expect(after.heapMb - before.heapMb).toBeLessThan(1 + (rounds - warmUp) * 0.02);
  });
});
