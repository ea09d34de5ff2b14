import { readFile } from 'node:fs/promises';

import type { TestProject } from 'vitest/node';

import { type StartedServers, startServers, type TestServers } from './start-servers.ts';

/**
 * Vitest runs this once for each project that names it. All projects of one run share one set of servers, which goes when
 * the last of them is done.
 */
interface Sharing {
  users: number;
  set: Promise<StartedServers> | undefined;
  /** What could not be had, for the summary of the run. */
  missing: string[];
}

declare global {
  var backstopTestServers: Sharing | undefined;
}

/**
 * Makes real servers available to the tests (`postgresServers()`, `mongoServers()`), and prints which. With
 * `BACKSTOP_TEST_SERVERS` naming the file that `scripts/test-servers.ts up` wrote, the servers kept by that are used, and left
 * running.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['BACKSTOP_TEST_SERVERS'];
  if (kept !== undefined && kept !== '') {
    // A file that was written before there were servers of MongoDB does not name any.
    const read: Partial<TestServers> = JSON.parse(await readFile(kept, 'utf8'));
    provide(project, { servers: read.servers ?? [], mongo: read.mongo ?? [] });
    return async () => {};
  }
  const sharing = (globalThis.backstopTestServers ??= { users: 0, set: undefined, missing: [] });
  sharing.users += 1;
  sharing.set ??= startAndTell();
  const { servers, missing } = await sharing.set;
  sharing.missing = missing;
  provide(project, servers);
  return async () => {
    sharing.users -= 1;
    if (sharing.users > 0) return;
    const set = await sharing.set;
    sharing.set = undefined;
    await set?.stop();
  };
}

function provide(project: TestProject, { servers, mongo }: TestServers): void {
  project.provide('postgresServers', servers);
  project.provide('mongoServers', mongo);
}

async function startAndTell(): Promise<StartedServers> {
  const started = performance.now();
  const set = await startServers(String(process.pid));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const lines = set.lines.map((line) => `servers  ${line}`);
  lines.push(...set.missing.map((sentence) => `servers  skipped: ${sentence}`));
  process.stdout.write(`${lines.join('\n')}\nservers  ready after ${seconds} s\n`);
  return set;
}
