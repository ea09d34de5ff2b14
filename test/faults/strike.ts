import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { PhasePoint } from '../../src/process/phase-points.ts';
import { until } from '../support/until.ts';

const PRELOAD = fileURLToPath(new URL('strike-preload.ts', import.meta.url));

/** Where in its work a service is to be struck, and with what. */
export interface Strike {
  point: PhasePoint;
  /** The how-manieth time that the point is reached from now on; 1 unless said. */
  nth?: number;
  signal: NodeJS.Signals;
}

/** The environment of a service that can be struck. Children do not get it: their environment is fixed. */
export function strikeEnv(folder: string): Record<string, string> {
  return { NODE_OPTIONS: `--import ${PRELOAD}`, BACKSTOP_STRIKE_FILE: strikeFile(folder) };
}

/** Aims at a point; an earlier aim is forgotten. */
export async function aim(folder: string, strike: Strike): Promise<void> {
  await disarm(folder);
  await writeAim(folder, { nth: 1, ...strike });
}

/** The service kills itself so long after it has got to its first point from now on. */
export async function aimAtRandom(folder: string, afterMs: number): Promise<void> {
  await disarm(folder);
  await writeAim(folder, { afterMs, signal: 'SIGKILL' });
}

/** Each is another one, also when it says the same as the one before. */
async function writeAim(folder: string, what: object): Promise<void> {
  await writeFile(strikeFile(folder), JSON.stringify({ ...what, id: randomUUID() }));
}

/** Nothing is struck any more, and what was reached so far is forgotten. */
export async function disarm(folder: string): Promise<void> {
  await rm(strikeFile(folder), { force: true });
  await rm(`${strikeFile(folder)}.reached`, { force: true });
}

/** The points that were reached since the last aim, in order. */
export async function reachedPoints(folder: string): Promise<string[]> {
  const text = await readFile(`${strikeFile(folder)}.reached`, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

/**
 * Resolves when a service stands still (SIGSTOP) at the point that was aimed at. That it has reached a point it writes *before*
 * it strikes itself: told to go on in between, it would stand still afterwards, and for ever.
 */
export async function standsStillAt(
  point: PhasePoint,
  { pid, folder }: { pid: number; folder: string },
): Promise<void> {
  await until(
    `the service to stand still at ${point}`,
    async () => (await reachedPoints(folder)).includes(point) && (await stateOf(pid)) === 'T',
  );
}

/** A letter, proc_pid_stat(5); behind the name, which may hold anything. */
async function stateOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8');
  return line.slice(line.lastIndexOf(')') + 2).at(0);
}

function strikeFile(folder: string): string {
  return join(folder, 'strike.json');
}
