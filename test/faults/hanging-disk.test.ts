import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { askRestore, type RestoreBody } from '../support/restores.ts';
import { type BackupBody, backupIn, completedBackup } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { askVerification, type VerificationBody } from '../support/verifications.ts';
import { CrashWorld } from './crash-world.ts';
import { PROMPT_MS } from './intensity.ts';
import { askBackup } from './outage-world.ts';
import { aim, standsStillAt, strikeEnv } from './strike.ts';

const PRELOAD = fileURLToPath(new URL('hanging-disk-preload.ts', import.meta.url));
/** Longer than a busy machine takes to open a dump, or to hear of a request to cancel. */
const STALL_SECONDS = 12;

let folder: string;
let world: CrashWorld;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-hanging-'));
  world = await CrashWorld.make({
    NODE_OPTIONS: `${strikeEnv(folder)['NODE_OPTIONS']} --import ${PRELOAD}`,
    BACKSTOP_HANGING_DISK: join(folder, 'hangs'),
    STALL_SECONDS: String(STALL_SECONDS),
    BACKUP_MAX_ATTEMPTS: '1',
  });
});
afterEach(answer);
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** From now on the disk does not answer. */
async function hang(): Promise<void> {
  await writeFile(join(folder, 'hangs'), '');
}

async function answer(): Promise<void> {
  await rm(join(folder, 'hangs'), { force: true });
}

/** Asks for a backup whose disk hangs when nothing is left to do but to store its manifest. */
async function askToHangAtManifest(name: string): Promise<BackupBody> {
  const { dataDir, service } = world;
  await aim(dataDir, { point: 'backup.content-counted', signal: 'SIGSTOP' });
  const asked = await askBackup(service, name);
  await standsStillAt('backup.content-counted', { pid: service.pid, folder: dataDir });
  await hang();
  process.kill(service.pid, 'SIGCONT');
  return asked;
}

type Row = BackupBody | RestoreBody | VerificationBody;

async function row(kind: string, id: string): Promise<Row> {
  return (await world.service.request<Row>('GET', `/${kind}/${id}`)).body;
}

async function endOf(kind: string, id: string): Promise<Row> {
  const ended = async (): Promise<boolean> => !['queued', 'running'].includes((await row(kind, id)).status);
  await until(`${kind} ${id} to end`, ended, PROMPT_MS);
  return row(kind, id);
}

/** @param isAnswered whether the disk answers before the work has ended */
async function cancelIn(phase: string, kind: string, id: string, isAnswered = false): Promise<void> {
  await until(`${kind} ${id} to be ${phase}`, async () => (await row(kind, id)).progress?.phase === phase);
  expect((await world.service.request('POST', `/${kind}/${id}/cancel`)).status).toBe(202);
  if (isAnswered) await answer();
  expect((await endOf(kind, id)).status).toBe('cancelled');
  await answer();
  await world.expectWhole('cancelled');
}

test('a backup that commits is cancelled, and nothing of it is left when the disk answers again', async () => {
  const asked = await askToHangAtManifest('shop');
  await cancelIn('committing', 'backups', asked.id, true);
});

test('a restore that verifies is cancelled while the disk does not answer, and nothing of it is left', async () => {
  await hang();
  const asked = await askRestore(world.service, world.backups.copy.id);
  await cancelIn('verifying', 'restores', asked.body.id);
});

test.each([
  { level: 'intact', phase: 'reading' },
  { level: 'readable', phase: 'inspecting' },
])('a verification is cancelled while the disk does not answer: $level', async ({ level, phase }) => {
  await hang();
  const asked = await askVerification(world.service, world.backups.copy.id, { level });
  await cancelIn(phase, 'verifications', asked.body.id);
});

test('who reads an archive whose disk never answers fails, and nothing is said against the copy', async () => {
  const { copy, shop } = world.backups;
  await hang();
  const restore = await askRestore(world.service, copy.id);
  const verifications = [
    await askVerification(world.service, copy.id, { level: 'intact' }),
    await askVerification(world.service, shop.id, { level: 'readable' }),
  ];
  for (const { body } of verifications) {
    expect(await endOf('verifications', body.id)).toMatchObject({
      status: 'failed',
      outcome: 'unknown',
      level_reached: null,
      error: { code: 'verification-stalled', retryable: true },
    });
  }
  expect(await endOf('restores', restore.body.id)).toMatchObject({
    status: 'failed',
    error: { code: 'restore-stalled', retryable: true },
  });
  await answer();
  for (const { id } of [copy, shop]) {
    const { evidence, copies } = await world.backup(id);
    expect(evidence).not.toBeNull();
    expect(copies).toMatchObject([{ state: 'stored' }]);
  }
  await world.expectWhole('failed', 'cancelled');
});

test('backups whose disk never answers while archive or manifest is stored fail, and are no good backups when it does', async () => {
  const atManifest = await askToHangAtManifest('shop');
  const atArchive = await askBackup(world.service, 'copy');
  const ends = [
    { id: atManifest.id, code: 'commit-stalled', said: `STALL_SECONDS = ${STALL_SECONDS}` },
    { id: atArchive.id, code: 'archive-stalled', said: `took no byte for ${STALL_SECONDS} s` },
  ];
  for (const { id, code, said } of ends) {
    const { status, error } = await backupIn(world.service, id, 'failed', 'completed');
    expect(status).toBe('failed');
    expect(error).toMatchObject({ code, retryable: true, detail: expect.stringContaining(said) });
  }
  expect((await world.service.request('GET', '/health/live')).status).toBe(200);
  await answer();
  for (const { id } of ends) {
    expect((await world.backup(id)).status).toBe('failed');
    const removal = await world.service.request<BackupBody>('DELETE', `/backups/${id}`);
    expect(removal.status).toBeLessThan(300);
  }
  await completedBackup(world.service, 'shop');
  await world.expectWhole('failed', 'cancelled');
});
