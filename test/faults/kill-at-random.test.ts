import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';

import type { Service } from '../support/service.ts';
import { CrashWorld } from './crash-world.ts';
import { backUp, replace, restoreBeside } from './deaths.ts';
import { often, randoms, SEED } from './intensity.ts';

/** Deaths in all, and after how many everything is looked at. */
const KILLS = often(20, 100);
const LOOK_EVERY = 5;
/** Longest time from the first step to the death: all of the work takes about so long. */
const WITHIN_MS = 1_200;

let world: CrashWorld;
beforeAll(async () => {
  world = await CrashWorld.make();
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

/**
 * A backup, a restore beside, a restore in place and a removal, at once. Beside them each life recovers what the one before has
 * left, and sweeps. What cannot begin because it runs already is refused, which is fine.
 */
async function workOnAll(service: Service): Promise<void> {
  const { body } = await service.request<{ id: string }[]>('GET', '/backups?status=completed&limit=50');
  const good = Object.values(world.backups).map(({ id }) => id);
  const removable = body.find(({ id }) => !good.includes(id));
  await Promise.all([
    backUp(world)(service),
    restoreBeside(world)(service),
    replace(world)(service),
    removable && service.request('DELETE', `/backups/${removable.id}?force=true`),
  ]);
}

test(`killed (-9) ${KILLS} times at random, in the middle of backups, restores, removals and sweeps at once`, async () => {
  onTestFailed(() => void process.stderr.write(`repeat with BACKSTOP_SEED=${SEED}\n`));
  const random = randoms(1);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await world.dieAfter(random(WITHIN_MS), workOnAll);
    if (kill % LOOK_EVERY !== 0) continue;
    await world.revive();
    await world.expectWhole();
    await world.tidy();
  }
  // Not only whole: it still works.
  const answer = await world.service.request('POST', '/backups?wait=completed', { database_id: 'shop' });
  expect(answer.status).toBe(200);
});
