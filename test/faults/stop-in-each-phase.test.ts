import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PhasePoint } from '../../src/process/phase-points.ts';
import { CrashWorld } from './crash-world.ts';
import { BACKUP_DEATHS, type Death, RESTORE_DEATHS, titleOf, VERIFICATION_DEATHS } from './deaths.ts';
import { IS_SOAK } from './intensity.ts';

/** One point of each phase, and those at which something is half done. The soak goes through all of them. */
const CHOSEN: readonly PhasePoint[] = [
  'backup.claimed',
  'backup.started',
  'backup.dump-opened',
  'storage.chunk-written',
  'storage.object-visible',
  'backup.content-counted',
  'backup.manifest-stored',
  'backup.failing',
  'settling.manifest-found',
  'sweep.part-deleted',
  'removal.claimed',
  'restore.claimed',
  'restore.archive-verified',
  'restore.fresh-announced',
  'restore.safety-requested',
  'restore.bytes-loaded',
  'restore.compared',
  'restore.placing-announced',
  'restore.names-changed',
  'restore.fenced',
  'verification.started',
  'verification.bytes-read',
  'verification.copy-read',
];

function chosen(deaths: readonly Death[]): Death[] {
  return deaths.filter(({ point }) => IS_SOAK || CHOSEN.includes(point));
}

describe.concurrent.each([
  { lane: 'backups and removals', stops: chosen(BACKUP_DEATHS) },
  { lane: 'restores and verifications', stops: chosen([...RESTORE_DEATHS, ...VERIFICATION_DEATHS]) },
])('SIGTERM, $lane: ends in time with code 0, leaves nothing, goes on at the next start', ({ stops }) => {
  let world: CrashWorld;

  beforeAll(async () => {
    world = await CrashWorld.make({ BACKUP_MAX_ATTEMPTS: '2' });
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  for (const each of stops) {
    const { point, by, after } = each;
    test(titleOf(each), { concurrent: false }, async () => {
      if (after !== undefined) await world.struckIn({ point: after, signal: 'SIGKILL' }, by(world));
      const strike = { point, signal: 'SIGTERM' as const };
      const exit = await (after === undefined
        ? world.struckIn(strike, by(world))
        : world.struckInRecovery(strike));
      expect(exit).toMatchObject({ code: 0, signal: null, stderr: '' });
      await world.expectStoppedCleanly();
      await world.revive();
      await world.expectWhole();
      await world.tidy();
    });
  }
});
