// @ts-check
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';

import { CACHE, SUDO } from './paths.mjs';
import { downloadPackages, hasDebianApt } from './private-apt.mjs';
import { must, run } from './run.mjs';

/** The tools that a folder of clients must hold. */
const TOOLS = ['pg_dump', 'pg_restore', 'pg_dumpall', 'psql'];

/** Which release of Debian holds which major. */
const SUITES = { 15: 'bookworm', 17: 'trixie', 18: 'forky' };

/** Majors whose tools we want: those in Debian. A server between them is dumped with the next newer ones. */
export const WANTED_MAJORS = Object.keys(SUITES);

/** Where packages of other systems put a major's tools. */
const SYSTEM_FOLDERS = [
  (/** @type {string} */ major) => `/usr/lib/postgresql/${major}/bin`,
  (/** @type {string} */ major) => `/usr/pgsql-${major}/bin`,
  (/** @type {string} */ major) => `/opt/homebrew/opt/postgresql@${major}/bin`,
  (/** @type {string} */ major) => `/usr/local/opt/postgresql@${major}/bin`,
];

const CLIENTS = join(CACHE, 'postgres-clients');

/**
 * @typedef {object} Clients
 * @property {Record<string, string>} folders By major; each is usable in PG_BIN_DIRS.
 * @property {string[]} unpacked Majors that were fetched just now.
 * @property {string | undefined} missing What is missing and the exact command that installs it.
 */

/** The wanted majors as they are found now, without fetching anything.
 *
 * @returns {Promise<Record<string, string>>} */
export async function findPostgresClients() {
  /** @type {Record<string, string>} */
  const folders = {};
  for (const major of WANTED_MAJORS) {
    const places = [...SYSTEM_FOLDERS.map((place) => place(major)), join(CLIENTS, major, 'bin')];
    for (const place of places) {
      if (folders[major] === undefined && (await holdsTools(place))) folders[major] = place;
    }
  }
  return folders;
}

/**
 * Finds PostgreSQL's client tools of majors 15, 17 and 18: the machine's own, else unpacked from Debian's packages into the
 * project's cache, which needs no root and installs nothing.
 *
 * @returns {Promise<Clients>}
 */
export async function ensurePostgresClients() {
  const before = await findPostgresClients();
  const absent = Object.entries(SUITES).filter(([major]) => before[major] === undefined);
  if (absent.length === 0) return { folders: before, unpacked: [], missing: undefined };
  if (!(await hasDebianApt())) {
    const majors = absent.map(([major]) => major).join(', ');
    const missing = `pg_dump of PostgreSQL ${majors} is not here. To mend it: ${await installCommand()}`;
    return { folders: before, unpacked: [], missing };
  }
  for (const [major, suite] of absent) await unpack(major, suite);
  return {
    folders: await findPostgresClients(),
    unpacked: absent.map(([major]) => major),
    missing: undefined,
  };
}

/** @param {string} folder */
async function holdsTools(folder) {
  try {
    for (const tool of TOOLS) await access(join(folder, tool), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Unpacks one major beside its final place and moves it there in one step, so that half of it is never found.
 *
 * @param {string} major
 * @param {string} suite
 */
async function unpack(major, suite) {
  await mkdir(CLIENTS, { recursive: true });
  const folder = await mkdtemp(join(CLIENTS, `.${major}-`));
  try {
    const files = await downloadPackages({
      suite,
      packages: [`postgresql-client-${major}`],
      withDependencies: true,
      folder,
    });
    const root = join(folder, 'root');
    for (const file of files) await must('dpkg-deb', ['-x', file, root]);
    await rm(join(folder, 'apt'), { recursive: true });
    for (const useless of ['usr/share', 'etc', 'var'])
      await rm(join(root, useless), { recursive: true, force: true });
    await writeWrappers(folder, major);
    await must(join(folder, 'bin', 'pg_dump'), ['--version']);
    await chmod(folder, 0o755);
    await rm(join(CLIENTS, major), { recursive: true, force: true });
    await rename(folder, join(CLIENTS, major));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The tools of a newer release need its libraries, so each is started through its own loader. `--argv0` keeps the name under
 * which it was called: pg_dumpall looks for pg_dump beside it.
 *
 * @param {string} folder
 * @param {string} major
 */
async function writeWrappers(folder, major) {
  const root = join(folder, 'root');
  const loader = await findFile(root, /^ld-linux[\w.-]*\.so\.\d+$/);
  const libc = await findFile(root, /^libc\.so\.6$/);
  const libpq = await findFile(root, /^libpq\.so\.5$/);
  const libraries = [...new Set([libc, libpq].map((path) => path.slice(0, path.lastIndexOf('/'))))];
  await mkdir(join(folder, 'bin'));
  const program = `usr/lib/postgresql/${major}/bin`;
  for (const tool of await readdir(join(root, program))) {
    const lines = [
      '#!/bin/sh',
      'root=${0%/*}/../root',
      `exec "$root/${loader}" --argv0 "$0" --library-path "${libraries.map((path) => `$root/${path}`).join(':')}" \\`,
      `  "$root/${program}/${tool}" "$@"`,
    ];
    await writeFile(join(folder, 'bin', tool), `${lines.join('\n')}\n`, { mode: 0o755 });
  }
}

/**
 * @param {string} root
 * @param {RegExp} name
 * @returns {Promise<string>} Path below `root`.
 */
async function findFile(root, name) {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found = entries.find((entry) => name.test(entry.name) && !entry.isDirectory());
  if (found === undefined) throw new Error(`the unpacked packages hold no file like ${name.source}`);
  return join(found.parentPath, found.name).slice(root.length + 1);
}

/** The command that a person types on this system. */
async function installCommand() {
  if (process.platform === 'darwin') return 'brew install postgresql@18';
  if ((await run('apt-get', ['--version'])).code === 0) {
    return `${SUDO}apt-get install -y postgresql-common && ${SUDO}/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y && ${SUDO}apt-get install -y postgresql-client-18`;
  }
  if ((await run('dnf', ['--version'])).code === 0) return `${SUDO}dnf install -y postgresql`;
  if ((await run('apk', ['--version'])).code === 0) return `${SUDO}apk add postgresql18-client`;
  return 'install the package of your system that holds pg_dump 18';
}
