/**
 * Keeps the tests' servers running between runs: `node scripts/test-servers.ts up`, then run tests with
 * `BACKSTOP_TEST_SERVERS=.cache/test-servers.json`, and in the end `node scripts/test-servers.ts down`. Needs a Docker Engine.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { removeContainersOf } from '../test/support/containers.ts';
import { hasDockerEngine } from '../test/support/containers.ts';
import { startServers } from '../test/support/start-servers.ts';

/** Not a process id: nobody's death removes these. */
const OWNER = 'kept';

const file = process.env['BACKSTOP_TEST_SERVERS'] ?? '.cache/test-servers.json';
const [command] = process.argv.slice(2);

async function up(): Promise<void> {
  if (!(await hasDockerEngine()))
    throw new Error('no Docker Engine answers; servers can only be kept in containers');
  await removeContainersOf(OWNER);
  // The reaper would end them with this process.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const set = await startServers(OWNER);
  for (const sentence of set.missing) console.log(`skipped: ${sentence}`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(set.servers, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  for (const line of set.lines) console.log(line);
  console.log(`\nexport BACKSTOP_TEST_SERVERS=${file}`);
}

async function down(): Promise<void> {
  await removeContainersOf(OWNER);
  await rm(file, { force: true });
}

async function show(): Promise<void> {
  console.log(await readFile(file, 'utf8'));
}

const commands: Record<string, () => Promise<void>> = { up, down, show };
const chosen = commands[command ?? ''];
if (chosen === undefined) {
  console.error('usage: node scripts/test-servers.ts up | down | show');
  process.exitCode = 2;
} else {
  await chosen();
}
