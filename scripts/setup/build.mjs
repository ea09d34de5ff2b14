// @ts-check
import { createHash } from 'node:crypto';
import { access, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PROJECT } from './paths.mjs';
import { must } from './run.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/** Says from which sources dist/ was compiled. The compiler empties dist/ first, so a half-made one has no stamp. */
const STAMP = join(PROJECT, 'dist', '.built-from');

/** @type {Step} */
export const build = {
  name: 'build',
  after: ['dependencies'],
  required: true,
  plan: async () => {
    const stamp = await readFile(STAMP, 'utf8').catch(() => '');
    return stamp === (await digestOfSources()) ? undefined : 'dist/, compiled from src/ (nest build)';
  },
  carryOut: async () => {
    const digest = await digestOfSources();
    await must('npm', ['run', '--silent', 'build'], { cwd: PROJECT });
    // A compiler that was told to write nothing also exits 0.
    await access(join(PROJECT, 'dist', 'main.js'));
    await writeFile(STAMP, digest);
    return 'dist/ compiled from src/';
  },
};

/** Of contents, not of times: a checkout changes the times of files that stay the same. */
async function digestOfSources() {
  const hash = createHash('sha256');
  const entries = await readdir(join(PROJECT, 'src'), { recursive: true, withFileTypes: true });
  const sources = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const settings = ['nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map(
    (file) => join(PROJECT, file),
  );
  for (const path of [...sources.sort(), ...settings]) {
    const text = await readFile(path);
    hash.update(`${path.slice(PROJECT.length)}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex');
}
