import { rename } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PHASE_POINTS } from '../../src/process/phase-points.ts';
import { type BackupBody, completedBackup } from '../support/shop.ts';
import { endedVerification } from '../support/verifications.ts';
import { CrashWorld } from './crash-world.ts';
import {
  BACKUP_DEATHS,
  type Death,
  FAULT_POINTS,
  remove,
  RESTORE_DEATHS,
  titleOf,
  VERIFICATION_DEATHS,
} from './deaths.ts';
import { leaveHalfRemoved } from './half-removed.ts';
import { often } from './intensity.ts';

/** How many times the service dies at each point. The soak goes through all of them again and again. */
const ROUNDS = often(1, 100);

async function dieAt(world: CrashWorld, { point, by, after }: Death): Promise<void> {
  await world.struckIn({ point: after ?? point, signal: 'SIGKILL' }, by(world));
  // A removal takes the archive first, so that what it names can be found until all of it is gone.
  if (by !== remove) await world.expectManifestsTrue();
  if (after !== undefined) await world.struckInRecovery({ point, signal: 'SIGKILL' });
}

/** Needs a row that could not be cleaned, so it is none of the list. */
async function dieInSweep(world: CrashWorld): Promise<void> {
  const { id } = await completedBackup(world.service, 'shop');
  await world.service.request('DELETE', `/backups/${id}?force=true`);
  await world.kill();
  await leaveHalfRemoved(world.dataDir, id);
  await world.struckInRecovery({ point: 'sweep.orphan-found', signal: 'SIGKILL' });
}

/**
 * Of a verification that meets an archive which is not there. It is put back while nobody lives, so what the next attempt meets is
 * whole: what the dead one has written down of the copy must not stay.
 */
async function dieOverFault(world: CrashWorld, point: (typeof FAULT_POINTS)[number]): Promise<void> {
  const { id, copies } = await completedBackup(world.service, 'shop');
  const path = join(world.dataDir, 'data', 'backups', copies[0]!.key);
  // Not in the folder of the backups, where nothing else may lie.
  const lost = join(world.dataDir, 'lost');
  await rename(path, lost);
  if (point === 'copy.fault-cleared') {
    expect(await endedVerification(world.service, id)).toMatchObject({ outcome: 'failed' });
    await rename(lost, path);
  }
  await world.struckIn({ point, signal: 'SIGKILL' }, (service) =>
    service.request('POST', `/backups/${id}/verify`, {}),
  );
  if (point !== 'copy.fault-cleared') await rename(lost, path);
  await world.revive();
  await world.expectWhole('failed');
  // What had ended is not looked at again by itself; the next look finds it whole.
  if (point === 'verification.ended') await endedVerification(world.service, id);
  const { body } = await world.service.request<BackupBody>('GET', `/backups/${id}`);
  expect(body).toMatchObject({ evidence: { name: 'readable' }, copies: [{ state: 'stored' }] });
  expect(body.copies[0]).not.toHaveProperty('fault');
  await world.tidy();
}

/** Two services at once, each with its own folder and databases: one waits while the other works. */
describe.concurrent.each([
  { lane: 'backups, removals and sweeps', deaths: BACKUP_DEATHS },
  { lane: 'restores and verifications', deaths: [...RESTORE_DEATHS, ...VERIFICATION_DEATHS] },
])('killed (-9), $lane: nothing is stuck, left or lost', ({ deaths }) => {
  let world: CrashWorld;

  beforeAll(async () => {
    world = await CrashWorld.make();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  async function expectRecovery(die: (world: CrashWorld) => Promise<void>): Promise<void> {
    for (let round = 1; round <= ROUNDS; round += 1) {
      await die(world);
      await world.revive();
      await world.expectWhole();
      await world.tidy();
    }
  }

  for (const each of deaths) {
    test(titleOf(each), { concurrent: false }, () => expectRecovery((dying) => dieAt(dying, each)));
  }
  if (deaths === BACKUP_DEATHS) {
    test('a sweep at sweep.orphan-found', { concurrent: false }, () => expectRecovery(dieInSweep));
    for (const point of FAULT_POINTS) {
      test(`a verification that finds something, at ${point}`, { concurrent: false }, () =>
        dieOverFault(world, point),
      );
    }
  }
});

describe('the list of points', () => {
  test('is gone through completely', () => {
    const deaths = [...BACKUP_DEATHS, ...RESTORE_DEATHS, ...VERIFICATION_DEATHS];
    const tried = new Set<string>([
      ...deaths.map(({ point }) => point),
      ...FAULT_POINTS,
      'sweep.orphan-found',
    ]);
    expect(PHASE_POINTS.filter((point) => !tried.has(point))).toEqual([]);
  });
});
