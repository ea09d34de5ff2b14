import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PHASE_POINTS } from '../../src/process/phase-points.ts';
import { completedBackup } from '../support/shop.ts';
import { CrashWorld } from './crash-world.ts';
import { BACKUP_DEATHS, type Death, remove, RESTORE_DEATHS, titleOf } from './deaths.ts';
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

/** Two services at once, each with its own folder and databases: one waits while the other works. */
describe.concurrent.each([
  { lane: 'backups, removals and sweeps', deaths: BACKUP_DEATHS },
  { lane: 'restores', deaths: RESTORE_DEATHS },
])('killed (-9), $lane: nothing is stuck, left or lost', ({ lane, deaths }) => {
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
  if (lane !== 'restores') {
    test('a sweep at sweep.orphan-found', { concurrent: false }, () => expectRecovery(dieInSweep));
  }
});

describe('the list of points', () => {
  test('is gone through completely', () => {
    const tried = new Set([...BACKUP_DEATHS, ...RESTORE_DEATHS].map(({ point }) => point));
    tried.add('sweep.orphan-found');
    expect(PHASE_POINTS.filter((point) => !tried.has(point))).toEqual([]);
  });
});
