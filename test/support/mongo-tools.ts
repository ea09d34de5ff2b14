import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { hasImage } from '../../scripts/setup/images.mjs';
import { succeeds } from '../../scripts/setup/run.mjs';

/** The MongoDB Database Tools for the tests, or why there are none. */
export interface MongoToolsOfTests {
  /** Folders with `mongodump` and `mongorestore`; empty when `missing` says why. */
  folders: readonly string[];
  missing: string | undefined;
  /** Whether they are programs of this machine; else each call starts a container, which outlives a killed tool. */
  areLocal: boolean;
}

/** Official images have the tools inside. */
const IMAGES = ['mongo:8', 'mongo:7'] as const;

/** The tools in MONGO_BIN_DIRS or on PATH, else those of an official image that is here, else the reason why there are none. */
export async function findMongoTools(): Promise<MongoToolsOfTests> {
  const { MONGO_BIN_DIRS = '', PATH = '' } = process.env;
  for (const folder of [...MONGO_BIN_DIRS.split(delimiter), ...PATH.split(delimiter)].filter(Boolean)) {
    if (await areIn(folder)) return { folders: [folder], missing: undefined, areLocal: true };
  }
  for (const image of IMAGES) {
    if (process.platform === 'linux' && (await hasImage(image)))
      return { folders: [await folderWithWrappers(image)], missing: undefined, areLocal: false };
  }
  const missing =
    'mongodump and mongorestore are neither in MONGO_BIN_DIRS nor on PATH, and no mongo image is here that has them';
  return { folders: [], missing, areLocal: false };
}

async function areIn(folder: string): Promise<boolean> {
  const found = await Promise.all(
    ['mongodump', 'mongorestore'].map((name) => succeeds(join(folder, name), ['--version'])),
  );
  return found.every(Boolean);
}

/** Programs that run those of an image, with the network and the temporary files of this machine. */
async function folderWithWrappers(image: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-mongo-tools-'));
  const mount = `${tmpdir()}:${tmpdir()}`;
  for (const name of ['mongodump', 'mongorestore']) {
    const run = `exec docker run --rm -i --network host -v '${mount}' --entrypoint ${name} ${image} "$@"`;
    await writeFile(join(folder, name), `#!/bin/sh\n${run}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}
