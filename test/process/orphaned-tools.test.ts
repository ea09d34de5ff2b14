import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { afterEach, expect, it } from 'vitest';

import { SystemClock } from '../../src/clock/system-clock.ts';
import { endOrphanedTools } from '../../src/process/orphaned-tools.ts';

const FOLDER = '/tmp/backstop-orphans-0f1e';
const clock = new SystemClock();
const started: { kill(signal: NodeJS.Signals): boolean }[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A shell with this HOME that says when it is ready; `ended` is the signal by which it ended. */
async function shell(home: string, script: string): Promise<{ ended: Promise<unknown>; isAlive(): boolean }> {
  const child = spawn('/bin/sh', ['-c', script], {
    env: { HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  const ended = once(child, 'exit').then(([, signal]): unknown => signal);
  await once(child.stdout, 'data');
  return { ended, isAlive: () => child.exitCode === null && child.signalCode === null };
}

it('ends a tool of this folder with what it has started, and no other process', async () => {
  const tool = await shell(`${FOLDER}/postgres-1`, 'sleep 300 & echo; wait');
  const neighbour = await shell(`${FOLDER}-2/postgres-1`, 'echo; exec sleep 300');
  const somebody = await shell(
    '/root',
    `PWD=${FOLDER}/x OLDPWD=${FOLDER}/y; export PWD OLDPWD; echo; exec sleep 300`,
  );
  expect(await endOrphanedTools(FOLDER, clock)).toBe(2);
  expect(await tool.ended).toBe('SIGTERM');
  expect([neighbour.isAlive(), somebody.isAlive()]).toEqual([true, true]);
  expect(await endOrphanedTools(FOLDER, clock)).toBe(0);
});

it('kills one that does not heed SIGTERM', async () => {
  const tool = await shell(`${FOLDER}/postgres-1`, "trap '' TERM; echo; while :; do sleep 1; done");
  expect(await endOrphanedTools(FOLDER, clock)).toBeGreaterThan(0);
  expect(await tool.ended).toBe('SIGKILL');
});
