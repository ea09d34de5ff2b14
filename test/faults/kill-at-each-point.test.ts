import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PHASE_POINTS } from '../../src/process/phase-points.ts';
import { CrashWorld } from './crash-world.ts';
import { BACKUP_DEATHS, RESTORE_DEATHS, titleOf } from './deaths.ts';

/** Two services at once, each with its own folder and databases: one waits while the other works. */
describe.concurrent.each([
  { lane: 'backups and removals', deaths: BACKUP_DEATHS },
  { lane: 'restores', deaths: RESTORE_DEATHS },
])('killed (-9), $lane: nothing is stuck, left or lost', ({ deaths }) => {
  let world: CrashWorld;

  beforeAll(async () => {
    world = await CrashWorld.make();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  for (const each of deaths) {
    const { point, by, after } = each;
    test(titleOf(each), { concurrent: false }, async () => {
      await world.struckIn({ point: after ?? point, signal: 'SIGKILL' }, by(world));
      if (after !== undefined) await world.struckInRecovery({ point, signal: 'SIGKILL' });
      await world.revive();
      await world.expectWhole();
      await world.tidy();
    });
  }
});

describe('the list of points', () => {
  test('is gone through completely', () => {
    const tried = new Set([...BACKUP_DEATHS, ...RESTORE_DEATHS].map(({ point }) => point));
    // Played by kill-in-sweep.test.ts, because it needs a row that could not be cleaned.
    tried.add('sweep.orphan-found');
    expect(PHASE_POINTS.filter((point) => !tried.has(point))).toEqual([]);
  });
});
