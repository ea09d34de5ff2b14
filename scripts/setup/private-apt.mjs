// @ts-check
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { must, run } from './run.mjs';

/**
 * Downloads packages of any Debian release without touching the machine's own packages: apt is
 * shown a private view with an empty list of installed packages. Needs no root. The place of the archive, proxies and keys are
 * the machine's.
 *
 * @param {object} wanted
 * @param {string} wanted.suite As `trixie`.
 * @param {readonly string[]} wanted.packages
 * @param {boolean} wanted.withDependencies Whether everything that they need, down to the C library, comes too.
 * @param {string} wanted.folder Where the view and the downloads go; exists, and is the caller's to remove.
 * @returns {Promise<string[]>} Paths of the package files.
 */
export async function downloadPackages({ suite, packages, withDependencies, folder }) {
  const view = join(folder, 'apt');
  for (const part of ['lists/partial', 'cache/archives/partial'])
    await mkdir(join(view, part), { recursive: true });
  await writeFile(join(view, 'status'), '');
  await writeFile(join(view, 'sources.list'), `${await archiveLine(suite)}\n`);
  const options = {
    'Dir::Etc::sourcelist': join(view, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(view, 'lists'),
    'Dir::State::status': join(view, 'status'),
    'Dir::Cache': join(view, 'cache'),
    'Dir::Cache::archives': join(view, 'cache/archives'),
    // A release that is still in testing is re-signed often; a mirror may lag behind by more than a week.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Languages': 'none',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  await must('apt-get', [...flags, '--quiet', 'update']);
  const archives = join(view, 'cache/archives');
  const what = withDependencies ? ['--yes', '--download-only', 'install'] : ['download'];
  await must('apt-get', [...flags, '--quiet', ...what, ...packages], { cwd: archives });
  const files = await readdir(archives);
  return files.filter((file) => file.endsWith('.deb')).map((file) => join(archives, file));
}

/** Whether this machine is a Debian whose apt can be asked like this. */
export async function hasDebianApt() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(release) && (await run('apt-get', ['--version'])).code === 0;
}

/** Part of every Debian; holds the keys of the coming releases, too. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * One line of a sources list for `suite`, from the archive that the machine itself uses. apt is asked, as it reads both kinds
 * of source files.
 *
 * @param {string} suite
 */
async function archiveLine(suite) {
  const indexes = await must('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)|$(COMPONENT)',
    'Created-By: Packages',
  ]);
  for (const line of indexes.split('\n')) {
    const [uri, component] = line.split('|');
    // Not the archive of security updates, which has no release of its own for testing.
    if (component === 'main' && uri?.match(/\/debian\/?$/))
      return `deb [signed-by=${KEYRING}] ${uri} ${suite} main`;
  }
  throw new Error('apt knows no Debian archive on this machine');
}
