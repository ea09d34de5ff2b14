// @ts-check
import { chmod, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { CACHE } from './paths.mjs';
import { downloadPackages, hasDebianApt } from './private-apt.mjs';
import { must, succeeds } from './run.mjs';
import { NeedsPersonError } from './system-packages.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/** Where the set-up keeps the program when the machine has none of its own. */
export const PRIVATE_PROMTOOL = join(CACHE, 'promtool', 'promtool');

/** @type {Step} */
export const promtool = {
  name: 'promtool',
  after: [],
  required: false,
  plan: async () =>
    (await succeeds('promtool', ['--version'])) || (await succeeds(PRIVATE_PROMTOOL, ['--version']))
      ? undefined
      : 'unpacked below .cache: the alert rules in config/ are tested by it',
  carryOut: async () => {
    if (!(await hasDebianApt())) {
      throw new NeedsPersonError('promtool is not here', 'the package prometheus');
    }
    await unpack();
    return 'unpacked from Debian 12';
  },
};

async function unpack() {
  await mkdir(join(CACHE, 'promtool'), { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'promtool-'));
  try {
    const packages = ['prometheus'];
    const files = await downloadPackages({ suite: 'bookworm', packages, withDependencies: false, folder });
    const wanted = files.find((file) => /\/prometheus_[^/]*\.deb$/.test(file));
    if (wanted === undefined) throw new Error('the package prometheus was not downloaded');
    await must('dpkg-deb', ['-x', wanted, join(folder, 'root')]);
    await copyFile(join(folder, 'root', 'usr/bin/promtool'), `${PRIVATE_PROMTOOL}.new`);
    await chmod(`${PRIVATE_PROMTOOL}.new`, 0o755);
    await rename(`${PRIVATE_PROMTOOL}.new`, PRIVATE_PROMTOOL);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
