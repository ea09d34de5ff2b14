import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { newestPostgresServer } from '../support/postgres-servers.ts';
import { endedRestore } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { completedBackup, freshShop, holdTable, register } from '../support/shop.ts';
import { listen, type StreamEntry } from '../support/sse.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let shopId: string;
let dataDir: string;

beforeAll(async () => {
  shop = await freshShop(server);
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-events-'));
  service = await startService({ env, dataDir });
  shopId = await register(service, server, shop.name, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const states = (entries: readonly StreamEntry[]): string[] =>
  entries.map(({ event }) => event).filter((event) => event !== 'Progress');

describe('the stream of events', () => {
  test('tells the whole life of a backup, in order, with what the record says', async () => {
    await using stream = await listen(service.url);
    const backup = await completedBackup(service, 'shop');
    const done = await stream.entry('completed', ({ event }) => event === 'BackupCompleted');
    expect(states(stream.entries)).toEqual(['BackupQueued', 'BackupStarted', 'BackupCompleted']);
    expect(done.data).toMatchObject({
      number: Number(done.id),
      name: 'BackupCompleted',
      subject_kind: 'backup',
      subject_id: backup.id,
      database_id: shopId,
      database_name: 'shop',
      facts: { status: 'completed', attempt: 1, size_bytes: backup.size_bytes, filename: backup.filename },
    });
    const numbers = stream.entries.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
    expect(numbers).toEqual([numbers[0], numbers[0]! + 1, numbers[0]! + 2]);
  });

  test('tells a listener who comes back what he has missed, also after a restart of the service', async () => {
    const first = await listen(service.url);
    await completedBackup(service, 'shop');
    const queued = await first.entry('queued', ({ event }) => event === 'BackupQueued');
    await first[Symbol.asyncDispose]();
    await service.stop();
    service = await startService({ env, dataDir });
    await using second = await listen(service.url, '', { 'Last-Event-ID': queued.id! });
    await second.entry('completed', ({ event }) => event === 'BackupCompleted');
    expect(states(second.entries)).toEqual(['BackupStarted', 'BackupCompleted']);
    // For `curl`, which has no last event yet.
    await using third = await listen(service.url, `?after=0&name=DatabaseRegistered`);
    expect((await third.entry('registered', () => true)).data).toMatchObject({
      number: 1,
      subject_id: shopId,
    });
  });

  test('tells how far running work is', async () => {
    await using stream = await listen(service.url, '?database_id=shop');
    const release = await holdTable(server, shop.name, 'orders');
    const asked = await service.request<{ id: string }>('POST', '/backups', { database_id: 'shop' });
    const progress = await stream.entry('progress', ({ event }) => event === 'Progress');
    expect(progress.id).toBeUndefined();
    expect(progress.data).toMatchObject({ subject_id: asked.body.id, database_name: 'shop', bytes: 0 });
    await release();
    await stream.entry('completed', ({ event }) => event === 'BackupCompleted');
  });

  test('tells of a restore, and of the evidence that it gives', async () => {
    const backup = await completedBackup(service, 'shop');
    await using stream = await listen(service.url, '?progress=false');
    const restore = await endedRestore(service, backup.id);
    await stream.entry('restored', ({ event }) => event === 'RestoreCompleted');
    const raised = await stream.entry('raised', ({ event }) => event === 'EvidenceRaised');
    expect(raised.data).toMatchObject({ subject_id: backup.id, facts: { evidence: 'proven' } });
    expect(states(stream.entries)).toEqual([
      'RestoreQueued',
      'RestoreStarted',
      'RestoreCompleted',
      'EvidenceRaised',
    ]);
    expect(restore.status).toBe('completed');
  });

  test('keeps from a listener what he did not ask for', async () => {
    await using others = await listen(service.url, '?database_id=another');
    await using failures = await listen(service.url, '?name=BackupFailed,BackupCancelled&progress=false');
    await using all = await listen(service.url);
    const release = await holdTable(server, shop.name, 'orders');
    const asked = await service.request<{ id: string }>('POST', '/backups', { database_id: 'shop' });
    await all.entry('started', ({ event }) => event === 'BackupStarted');
    await service.request('POST', `/backups/${asked.body.id}/cancel`);
    await failures.entry('cancelled', ({ event }) => event === 'BackupCancelled');
    await release();
    expect(states(failures.entries)).toEqual(['BackupCancelled']);
    expect(others.entries).toEqual([]);
  });

  test('says so when a number is of another catalog, and refuses what is no number', async () => {
    await using stream = await listen(service.url, '?after=999999');
    const missed = await stream.entry('missed', ({ event }) => event === 'EventsMissed');
    expect(missed.data).toMatchObject({ after: 999_999 });
    const refused = await service.request('GET', '/events', undefined, { 'Last-Event-ID': 'yesterday' });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/Last-Event-ID' }] });
    const unknown = await service.request('GET', '/events?name=BackupExploded');
    expect(unknown.body).toMatchObject({ errors: [{ pointer: '/name' }] });
  });

  test('ends when the service stops, after it has told of the last work', async () => {
    await using own = await startService({ env });
    await register(own, server, shop.name, 'shop');
    const stream = await listen(own.url);
    const release = await holdTable(server, shop.name, 'orders');
    await own.request('POST', '/backups', {});
    await stream.entry('started', ({ event }) => event === 'BackupStarted');
    const stopped = own.stop();
    await until('the service to stop', () =>
      own.logs().some(({ msg }) => msg.startsWith('Backstop is stopping')),
    );
    await release();
    await stream.ended;
    expect(states(stream.entries).at(-1)).toBe('BackupCompleted');
    expect((await stopped).code).toBe(0);
  });
});
