import { afterAll, beforeAll, expect, test } from 'vitest';

import { processesOf } from '../support/service.ts';
import { until } from '../support/until.ts';
import { CrashWorld } from './crash-world.ts';
import { aim, reachedPoints } from './strike.ts';

let world: CrashWorld;
beforeAll(async () => {
  world = await CrashWorld.make();
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

/** Ids of the service's processes whose command line has this word. */
async function pidsOf(word: string): Promise<number[]> {
  const lines = await processesOf(world.dataDir);
  return lines.filter((line) => line.includes(word)).map((line) => Number(line.split(' ')[0]));
}

/**
 * Without a read or a write a tool does not notice that its service is gone. It is stopped here while the service itself stands
 * still, so that it has neither ended nor failed before the service dies.
 */
test.each([
  {
    tool: 'pg_dump',
    point: 'backup.dump-opened' as const,
    nth: 1,
    ask: () => world.service.request('POST', '/backups', { database_id: 'shop' }),
  },
  {
    tool: 'pg_restore',
    point: 'restore.bytes-loaded' as const,
    // So far only when the tool has taken what lies before.
    nth: 10,
    ask: () => world.service.request('POST', `/backups/${world.backups.shop.id}/restore`, {}),
  },
])('$tool that outlives its killed service is ended by the next one', async ({ tool, point, nth, ask }) => {
  await aim(world.dataDir, { point, nth, signal: 'SIGSTOP' });
  await ask();
  await until(
    `the service to stand still at ${point}`,
    async () => (await reachedPoints(world.dataDir)).filter((each) => each === point).length === nth,
  );
  const tools = await pidsOf(tool);
  expect(tools.length).toBeGreaterThan(0);
  for (const pid of tools) process.kill(pid, 'SIGSTOP');
  await world.kill();
  expect(await pidsOf(tool), 'alive after the kill').toEqual(tools);

  await world.revive();
  const left = await pidsOf(tool);
  expect(
    left.filter((pid) => tools.includes(pid)),
    'alive after the start',
  ).toEqual([]);
  await world.expectWhole();
  await world.tidy();
});
