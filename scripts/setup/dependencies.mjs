// @ts-check
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PROJECT } from './paths.mjs';
import { run } from './run.mjs';
import { installPackages } from './system-packages.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/** What sqlite3 needs when it must be compiled, because no built copy of it can be downloaded. */
const COMPILER = ['python3', 'make', 'g++'];

/** @type {Step} */
export const dependencies = {
  name: 'dependencies',
  after: [],
  required: true,
  plan: async () =>
    (await areInstalled())
      ? undefined
      : 'npm packages of package-lock.json (npm ci), about a minute where sqlite3 is compiled',
  carryOut: async () => {
    const first = await npmCi();
    if (first.code !== 0) {
      if (!(await lacksCompiler())) throw new Error(`npm ci failed\n${first.output.trimEnd()}`);
      await installPackages(
        ['python3', 'make', 'g++'],
        'sqlite3 has to be compiled, and there is no C++ compiler',
      );
      const second = await npmCi();
      if (second.code !== 0) throw new Error(`npm ci failed\n${second.output.trimEnd()}`);
    }
    return `${await countPackages()} npm packages`;
  },
};

function npmCi() {
  // Quiet: on a machine with an older Node, npm warns of every package that wants a newer one; it is among them.
  // JOBS is node-gyp's: all processors compile.
  return run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: PROJECT,
    env: { JOBS: 'max' },
  });
}

async function lacksCompiler() {
  const found = await Promise.all(COMPILER.map((tool) => run(tool, ['--version'])));
  return found.some((finished) => finished.code !== 0);
}

/**
 * Whether node_modules holds every package of the lock file in its version, as npm's own record there says. Optional packages
 * may be absent: they are for other platforms.
 */
async function areInstalled() {
  const modules = await lstat(join(PROJECT, 'node_modules')).catch(() => undefined);
  if (modules === undefined) return false;
  // Who made the link keeps the folder behind it current; replacing it would change somebody else's project.
  if (modules.isSymbolicLink()) return true;
  try {
    const wanted = await readPackages('package-lock.json');
    const installed = await readPackages(join('node_modules', '.package-lock.json'));
    return Object.entries(wanted).every(
      ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}

async function countPackages() {
  return Object.keys(await readPackages(join('node_modules', '.package-lock.json'))).length;
}

/**
 * @param {string} lockFile
 * @returns {Promise<Record<string, { version?: string, optional?: boolean }>>}
 */
async function readPackages(lockFile) {
  return JSON.parse(await readFile(join(PROJECT, lockFile), 'utf8')).packages;
}
