// @ts-check
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { PROJECT } from './paths.mjs';
import { ensureDebianBase } from './debian-base.mjs';
import { must, run, succeeds } from './run.mjs';

/**
 * An image that can be started.
 *
 * @typedef {object} ReadyImage
 * @property {string} name The official name that was asked for, as `postgres:17`.
 * @property {string} reference What to start: the same, or the stand-in `local/postgres:17`.
 * @property {'official image' | 'stand-in image'} how
 * @property {'present' | 'pulled' | 'built'} got
 */

/** An image that can be neither found, pulled nor built; `message` says why. */
export class ImageUnavailableError extends Error {
  /**
   * @param {string} image
   * @param {string} reason
   */
  constructor(image, reason) {
    super(`${image} is not here, cannot be pulled, and no stand-in could be built: ${reason}`);
    this.name = 'ImageUnavailableError';
  }
}

const STAND_INS = join(PROJECT, 'scripts', 'setup', 'stand-ins');

/**
 * How the stand-in of each image is built. All of them come from Debian's packages alone, with the versions of these suites.
 *
 * @type {Readonly<Record<string, { folder: string, args?: Record<string, string>, needs?: string, fill?: (folder: string) => Promise<void> }>>}
 */
const RECIPES = {
  'postgres:15': { folder: 'postgres', args: { SUITE: 'bookworm', PG_MAJOR: '15' } },
  'postgres:17': { folder: 'postgres', args: { SUITE: 'trixie', PG_MAJOR: '17' } },
  'postgres:18': { folder: 'postgres', args: { SUITE: 'forky', PG_MAJOR: '18' } },
  'mongo:8': { folder: 'mongo', needs: 'postgres:18', fill: addFerretDb },
  'node:24-bookworm-slim': { folder: 'node', fill: addNode },
};

/**
 * Makes an image available by one rule: present, else pulled, else a stand-in built under `local/…`, which never passes for
 * the official one. Throws `ImageUnavailableError`.
 *
 * @param {string} name
 * @returns {Promise<ReadyImage>}
 */
export async function ensureImage(name) {
  const standIn = `local/${name}`;
  if (await hasImage(name)) return { name, reference: name, how: 'official image', got: 'present' };
  if (await hasImage(standIn)) return { name, reference: standIn, how: 'stand-in image', got: 'present' };
  const pull = await run('docker', ['pull', '--quiet', name]);
  if (pull.code === 0) return { name, reference: name, how: 'official image', got: 'pulled' };
  const recipe = RECIPES[name];
  if (recipe === undefined) throw new ImageUnavailableError(name, lastLine(pull.output));
  try {
    await buildStandIn(standIn, recipe);
  } catch (error) {
    throw new ImageUnavailableError(name, error instanceof Error ? error.message : String(error));
  }
  return { name, reference: standIn, how: 'stand-in image', got: 'built' };
}

/** @param {string} reference */
export function hasImage(reference) {
  return succeeds('docker', ['image', 'inspect', reference]);
}

/**
 * Builds in a copy of the recipe's folder, so that what is added for the build never lands beside the Dockerfile.
 *
 * @param {string} tag
 * @param {(typeof RECIPES)[string]} recipe
 */
async function buildStandIn(tag, recipe) {
  const base =
    recipe.needs === undefined ? await ensureDebianBase() : (await ensureImage(recipe.needs)).reference;
  const work = join(PROJECT, '.cache', 'images');
  await mkdir(work, { recursive: true });
  const folder = await mkdtemp(join(work, `${recipe.folder}-`));
  try {
    await cp(join(STAND_INS, recipe.folder), folder, { recursive: true });
    await recipe.fill?.(folder);
    const args = Object.entries({ BASE: base, ...recipe.args });
    const buildArgs = args.flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
    await must('docker', ['build', '--quiet', '--force-rm', '--tag', tag, ...buildArgs, folder], {
      env: { DOCKER_BUILDKIT: '0' },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * FerretDB speaks MongoDB's wire protocol over PostgreSQL; it is published as a Go module.
 *
 * @param {string} folder
 */
async function addFerretDb(folder) {
  await must('go', ['install', 'github.com/FerretDB/FerretDB/v2/cmd/ferretdb@v2.7.0'], {
    env: { CGO_ENABLED: '0', GOBIN: folder, GOFLAGS: '-modcacherw' },
  });
}

/**
 * The Node that runs this project's npm scripts, the npm that runs them, and headers for compiling add-ons.
 *
 * @param {string} folder
 */
async function addNode(folder) {
  const npmPackage = dirname(dirname(await must('readlink', ['-f', await must('which', ['npm'])])));
  await cp(join(PROJECT, 'node_modules', 'node', 'bin', 'node'), join(folder, 'node'), { dereference: true });
  await cp(npmPackage, join(folder, 'npm'), { recursive: true, dereference: true });
  const nodedir = await run('npm', ['config', 'get', 'nodedir']);
  const prefixes = [nodedir.stdout.trim(), '/usr/local', '/usr'].map((prefix) =>
    join(prefix, 'include', 'node'),
  );
  const headers = prefixes.find((path) => existsSync(join(path, 'node_api.h')));
  if (headers === undefined) throw new Error('this machine has no headers of Node (node_api.h)');
  await cp(headers, join(folder, 'include'), { recursive: true, dereference: true });
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
