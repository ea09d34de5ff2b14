import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { MongoClient } from 'mongodb';

import { answers } from '../setup/docker-engine.mjs';
import { hasImage } from '../setup/images.mjs';
import { must, run } from '../setup/run.mjs';

/** The official image, and the stand-in that the tests build where that cannot be had. */
const IMAGES = ['mongo:8', 'local/mongo:8'] as const;
/** By it a container of the demo is found; its value is the name of the demo's folder. */
export const DEMO_LABEL = 'backstop.demo';
/** No secret: the server listens on loopback only, and is gone when the demo ends. */
const CREDENTIALS = { username: 'reviewer', password: 'only-for-the-demo' };
const START_SECONDS = 60;
const POLL_MS = 100;

/** A throw-away MongoDB server of the demo. */
export interface DemoMongo {
  host: string;
  port: number;
  username: string;
  password: string;
  /** For people: `MongoDB 8.0.4`, or what speaks its protocol here. */
  title: string;
  client: MongoClient;
  stop(): Promise<void>;
}

/**
 * Starts a server in a container. Nothing is installed or downloaded for it: without a Docker Engine that answers, or without an
 * image, it gives the reason, in a few words.
 */
export async function startDemoMongo(folder: string, signal: AbortSignal): Promise<DemoMongo | string> {
  if (!(await answers())) return 'no Docker Engine answers here';
  const image = await firstImage();
  if (image === undefined) return 'there is no MongoDB image here; "docker pull mongo:8" gets it';
  const id = await must('docker', [
    'run',
    '--rm',
    '--detach',
    '--publish=127.0.0.1::27017',
    `--label=${DEMO_LABEL}=${basename(folder)}`,
    `--env=MONGO_INITDB_ROOT_USERNAME=${CREDENTIALS.username}`,
    `--env=MONGO_INITDB_ROOT_PASSWORD=${CREDENTIALS.password}`,
    image,
  ]);
  const removal = ['rm', '--force', '--volumes', id];
  // For an end in which nothing can be awaited any more.
  const removeWithUs = (): void => void spawnSync('docker', removal);
  process.once('exit', removeWithUs);
  const stop = async (): Promise<void> => {
    await run('docker', removal);
    process.off('exit', removeWithUs);
  };
  try {
    return await connected(id, signal, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function firstImage(): Promise<string | undefined> {
  for (const image of IMAGES) if (await hasImage(image)) return image;
  return undefined;
}

async function connected(id: string, signal: AbortSignal, stop: () => Promise<void>): Promise<DemoMongo> {
  const published = await must('docker', ['port', id, '27017']);
  const port = Number(/:(\d+)$/m.exec(published)?.[1]);
  const deadline = performance.now() + START_SECONDS * 1000;
  for (;;) {
    signal.throwIfAborted();
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
      auth: CREDENTIALS,
      serverSelectionTimeoutMS: 1000,
    });
    try {
      const build = await client.db('admin').command({ buildInfo: 1 });
      const end = async (): Promise<void> => {
        await client.close(true);
        await stop();
      };
      return { host: '127.0.0.1', port, ...CREDENTIALS, title: titleOf(build), client, stop: end };
    } catch (error) {
      await client.close();
      if (performance.now() > deadline)
        throw new Error('the MongoDB server does not answer', { cause: error });
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

function titleOf(build: Readonly<Record<string, unknown>>): string {
  const ferretdb: unknown = build['ferretdb'];
  const isFerretDb = typeof ferretdb === 'object' && ferretdb !== null && 'version' in ferretdb;
  return isFerretDb
    ? `FerretDB ${String(ferretdb.version).replace(/^v/, '')} (MongoDB's protocol)`
    : `MongoDB ${String(build['version'])}`;
}
