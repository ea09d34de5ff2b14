import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { newestPostgresServer } from '../support/postgres-servers.ts';
import { workFiles } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { listen } from '../support/sse.ts';
import { type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { askVerification, type VerificationBody, verificationIn } from '../support/verifications.ts';

const server = newestPostgresServer();

let folder: string;
let dataDir: string;
let env: Record<string, string>;
let shop: Awaited<ReturnType<typeof freshShop>>;
let service: Service;
let backup: BackupBody;

/** A verification stands still in the middle, with a tool of its own, as long as this file is there. */
const hold = (): Promise<void> => writeFile(join(folder, 'held'), '');
const release = (): Promise<void> => rm(join(folder, 'held'), { force: true });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-held-'));
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-verify-'));
  const real = server.clientBinDirs.at(-1)!;
  const waits = `while [ -e ${join(folder, 'held')} ] && kill -0 $PPID 2>/dev/null; do sleep 0.1; done`;
  const script = `#!/bin/sh\ncase "$*" in *--version*) ;; *) ${waits};; esac\nexec ${real}/pg_restore "$@"\n`;
  await writeFile(join(folder, 'pg_restore'), script);
  await chmod(join(folder, 'pg_restore'), 0o755);
  env = { PG_BIN_DIRS: `${folder}:${real}`, SHUTDOWN_GRACE_SECONDS: '0', LEASE_SECONDS: '2' };
  shop = await freshShop(server);
  service = await startService({ env, dataDir });
  await register(service, server, shop.name, 'shop');
  backup = await completedBackup(service, 'shop');
  await hold();
});
afterEach(async () => {
  await service?.stop('SIGKILL');
  await release();
  await shop?.drop();
  for (const place of [folder, dataDir]) await rm(place, { recursive: true, force: true });
});

const verification = async (id: string): Promise<VerificationBody> =>
  (await service.request<VerificationBody>('GET', `/verifications/${id}`)).body;

/** Asks for a verification, and gives its id when its tool stands still. */
async function heldVerification(): Promise<string> {
  const asked = await askVerification(service, backup.id);
  await standsStill(asked.body.id);
  return asked.body.id;
}

async function standsStill(id: string): Promise<void> {
  await until('the verification to stand still', async () => {
    const { status, progress } = await verification(id);
    return status === 'running' && progress?.phase === 'inspecting' && (await toolsAtWork()) === 1;
  });
}

/** How many tools of ours read an archive now. One that works on no database has nothing of the service in its environment. */
async function toolsAtWork(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  const words = `${join(folder, 'pg_restore')}\0--format=custom`;
  return (await Promise.all(commands)).filter((command) => command.includes(words)).length;
}

async function expectNothingLeft(): Promise<void> {
  await until('the tools to end', async () => (await toolsAtWork()) === 0);
  expect(await workFiles(dataDir)).toEqual([]);
}

/** Nothing is known of the backup but what was known before. */
async function expectUntouched(): Promise<void> {
  const { body } = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
  expect(body).toMatchObject({ evidence: { name: 'stored' }, copies: [{ state: 'stored' }] });
  expect(body.copies[0]).not.toHaveProperty('fault');
}

describe('cancelling', () => {
  test('while it is read leaves nothing, within 5 s, and says nothing of the backup', async () => {
    const id = await heldVerification();
    const startedMs = performance.now();
    expect((await service.request('POST', `/verifications/${id}/cancel`)).status).toBe(202);
    const cancelled = await verificationIn(service, id, 'cancelled', 'failed', 'completed');
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      outcome: 'unknown',
      level_reached: null,
      error: { code: 'verification-cancelled' },
    });
    await expectNothingLeft();
    await expectUntouched();
  });

  test('while it waits for another one of the same backup', async () => {
    const first = await heldVerification();
    const second = await askVerification(service, backup.id);
    const cancelled = await service.request<VerificationBody>(
      'POST',
      `/verifications/${second.body.id}/cancel`,
    );
    expect(cancelled.body).toMatchObject({ status: 'cancelled', attempt: 0, outcome: 'unknown' });
    await release();
    expect(await verificationIn(service, first, 'completed', 'failed')).toMatchObject({ outcome: 'passed' });
  });

  test('which a dead process had been asked for is obeyed by the next', async () => {
    const id = await heldVerification();
    await service.request('POST', `/verifications/${id}/cancel`);
    await service.stop('SIGKILL');
    service = await startService({ env, dataDir });
    expect((await verificationIn(service, id, 'cancelled', 'failed', 'completed')).status).toBe('cancelled');
    await expectNothingLeft();
  });
});

describe('what a verification reads', () => {
  test('can be deleted neither as a backup nor with its database meanwhile', async () => {
    const id = await heldVerification();
    const active = [{ kind: 'verification', id }];
    const kept = await service.request('DELETE', `/backups/${backup.id}?force=true`);
    expect(kept.body).toMatchObject({ status: 409, code: 'backup-in-use', facts: { active } });
    const busy = await service.request('DELETE', '/databases/shop?backups=delete');
    expect(busy.body).toMatchObject({ status: 409, code: 'database-busy', facts: { active } });
    await release();
    expect((await verificationIn(service, id, 'completed', 'failed')).status).toBe('completed');
    expect((await service.request('DELETE', '/databases/shop')).status).toBe(204);
    expect(await verification(id)).toMatchObject({ database_id: null, database_name: 'shop' });
    expect((await service.request('DELETE', `/backups/${backup.id}?force=true`)).status).toBe(200);
    expect((await verification(id)).backup_id).toBe(backup.id);
  });
});

describe('the service dies or is stopped', () => {
  test('kill -9 in the middle: it is made anew, and passes', async () => {
    const id = await heldVerification();
    await service.stop('SIGKILL');
    service = await startService({ env, dataDir });
    await release();
    const done = await verificationIn(service, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', outcome: 'passed', attempt: 2 });
    await expectNothingLeft();
  });

  test('one that kills the service every time fails in the end, and nothing is known by it', async () => {
    const id = await heldVerification();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await standsStill(id);
      await service.stop('SIGKILL');
      service = await startService({ env, dataDir });
    }
    expect(await verificationIn(service, id, 'failed', 'completed')).toMatchObject({
      attempt: 3,
      outcome: 'unknown',
      error: { code: 'verification-worker-lost', retryable: true },
    });
    await expectUntouched();
    await expectNothingLeft();
  });

  test('SIGTERM: it goes back to the queue, and is made at the next start', async () => {
    const id = await heldVerification();
    expect((await service.stop('SIGTERM')).code).toBe(0);
    await release();
    service = await startService({ env, dataDir });
    expect(await verificationIn(service, id, 'completed', 'failed')).toMatchObject({
      status: 'completed',
      attempt: 2,
      error: null,
    });
  });
});

test('each step is an event, and progress is told', async () => {
  await using stream = await listen(service.url);
  const id = await heldVerification();
  const progress = await stream.entry(
    'progress',
    ({ event, data }) => event === 'Progress' && data['phase'] === 'inspecting',
  );
  expect(progress.data).toMatchObject({
    subject_kind: 'verification',
    subject_id: id,
    database_name: 'shop',
  });
  await release();
  const raised = await stream.entry('raised', ({ event }) => event === 'EvidenceRaised');
  expect(raised.data).toMatchObject({ subject_id: backup.id, facts: { evidence: 'readable' } });
  const told = stream.entries.filter(({ event }) => event !== 'Progress');
  expect(told.map(({ event }) => event)).toEqual([
    'VerificationQueued',
    'VerificationStarted',
    'VerificationCompleted',
    'EvidenceRaised',
  ]);
  expect(told[2]?.data).toMatchObject({
    subject_kind: 'verification',
    subject_id: id,
    database_name: 'shop',
    facts: {
      backup_id: backup.id,
      outcome: 'passed',
      level_reached: 'readable',
      duration_seconds: expect.any(Number),
    },
  });
  await expect
    .poll(async () => (await service.request('GET', '/metrics')).text)
    .toContain('backup_evidence_level{database="shop"} 2');
});
