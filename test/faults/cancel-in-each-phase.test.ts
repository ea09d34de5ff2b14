import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PhasePoint } from '../../src/process/phase-points.ts';
import { until } from '../support/until.ts';
import { CrashWorld } from './crash-world.ts';
import { BACKUP_DEATHS, type Death, remove, RESTORE_DEATHS, titleOf, VERIFICATION_DEATHS } from './deaths.ts';
import { cancelAt } from './held-work.ts';

/** From here on a backup is good, a restore has its name, and a verification has passed; a request to cancel it is refused, or changes nothing. */
const TOO_LATE: readonly PhasePoint[] = [
  'backup.manifest-stored',
  'backup.completed',
  'restore.placing-announced',
  'restore.names-changed',
  'restore.placed',
  'restore.old-dropped',
  'restore.completed',
  'verification.ended',
];
/** So near to that, that both may happen. */
const EITHER: readonly PhasePoint[] = [
  'storage.chunk-written',
  'storage.part-flushed',
  'storage.object-visible',
  'backup.archive-stored',
  'backup.content-counted',
  'restore.loaded',
  'restore.compared',
  // Little is to be read here: the work may be done before the request is.
  'verification.claimed',
  'verification.started',
  'verification.bytes-read',
  'verification.copy-read',
];

/** Work of its own can be cancelled at a point when it is on its way there by itself, and not in recovery from a death. */
function cancellable(deaths: readonly Death[]): Death[] {
  return deaths.filter(({ by, after }) => after === undefined && by !== remove);
}

function endingsAfter(point: PhasePoint): string[] {
  if (point === 'backup.failing') return ['cancelled', 'failed'];
  if (TOO_LATE.includes(point)) return ['completed'];
  return EITHER.includes(point) ? ['completed', 'cancelled'] : ['cancelled'];
}

async function endOf(world: CrashWorld, kind: string, id: string): Promise<string> {
  return until(`${kind} ${id} to end`, async () => {
    const { body } = await world.service.request<{ status: string }>('GET', `/${kind}/${id}`);
    return !['queued', 'running'].includes(body.status) && body.status;
  });
}

describe.concurrent.each([
  { kind: 'backups', points: cancellable(BACKUP_DEATHS) },
  { kind: 'restores', points: cancellable(RESTORE_DEATHS) },
  { kind: 'verifications', points: cancellable(VERIFICATION_DEATHS) },
])('cancelled, $kind: nothing runs or is left, and what is called completed is whole', ({ kind, points }) => {
  let world: CrashWorld;

  beforeAll(async () => {
    world = await CrashWorld.make();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  for (const each of points) {
    const { point, by } = each;
    test(titleOf(each), { concurrent: false }, async () => {
      const { dataDir, service } = world;
      const { id, status } = await cancelAt(point, { dataDir, service, kind, ask: by(world) });
      const end = await endOf(world, kind, id);
      expect(endingsAfter(point)).toContain(end);
      expect([202, 409]).toContain(status);
      // A refusal is no empty word.
      if (status === 409) expect(end).not.toBe('cancelled');
      await world.expectWhole('cancelled');
      await world.tidy();
    });
  }
});
