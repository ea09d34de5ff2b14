// @ts-check
import { chmod, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { CACHE } from './paths.mjs';
import { downloadPackages, hasDebianApt } from './private-apt.mjs';
import { must, run, succeeds } from './run.mjs';
import { NeedsPersonError } from './system-packages.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

const PRIVATE_COPY = join(CACHE, 'docker-compose', 'docker-compose');

/** @type {Step} */
export const dockerCompose = {
  name: 'docker compose',
  after: [],
  required: false,
  plan: async () =>
    (await findCompose()) === undefined
      ? 'unpacked below .cache: docker-compose.yml is brought up in a test'
      : undefined,
  carryOut: async () => {
    if (!(await hasDebianApt())) {
      throw new NeedsPersonError(
        'Docker Compose is not here',
        'the package docker-compose-plugin or docker-compose',
      );
    }
    await unpack();
    return 'unpacked from Debian 13';
  },
};

/**
 * How Compose is called here: as a plug-in, as a program, or as the private copy.
 *
 * @returns {Promise<[file: string, ...args: string[]] | undefined>} Undefined where it is absent.
 */
export async function findCompose() {
  if (await succeeds('docker', ['compose', 'version'])) return ['docker', 'compose'];
  // Version 1 was another program, in Python, that does not know today's files.
  for (const file of ['docker-compose', PRIVATE_COPY]) {
    if (/^v?[2-9]/.test((await run(file, ['version', '--short'])).stdout)) return [file];
  }
  return undefined;
}

async function unpack() {
  const folder = await mkdtemp(join(await made(CACHE), 'compose-'));
  try {
    const files = await downloadPackages({
      suite: 'trixie',
      packages: ['docker-compose'],
      withDependencies: false,
      folder,
    });
    const wanted = files.find((file) => /\/docker-compose_[^/]*\.deb$/.test(file));
    if (wanted === undefined) throw new Error('the package docker-compose was not downloaded');
    await must('dpkg-deb', ['-x', wanted, join(folder, 'root')]);
    const program = join(folder, 'root', 'usr/libexec/docker/cli-plugins/docker-compose');
    await made(join(CACHE, 'docker-compose'));
    await copyFile(program, `${PRIVATE_COPY}.new`);
    await chmod(`${PRIVATE_COPY}.new`, 0o755);
    await rename(`${PRIVATE_COPY}.new`, PRIVATE_COPY);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder */
async function made(folder) {
  await mkdir(folder, { recursive: true });
  return folder;
}
