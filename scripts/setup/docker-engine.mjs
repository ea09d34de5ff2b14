// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { CACHE, IS_ROOT } from './paths.mjs';
import { run, succeeds } from './run.mjs';
import { installPackages, NeedsPersonError } from './system-packages.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/** Holds the id of the engine that we started, until we stop it. */
const PID_FILE = join(CACHE, 'dockerd.pid');
const LOG_FILE = join(CACHE, 'dockerd.log');

/**
 * Where an engine that was killed leaves its number. It refuses to start, or waits for a containerd that is not there, when
 * another program has that number by now.
 */
const LEFT_BY_ENGINES = [
  { file: '/var/run/docker.pid', program: 'dockerd' },
  { file: '/var/run/docker/containerd/containerd.pid', program: 'containerd' },
];

/** @type {Step} */
export const dockerEngine = {
  name: 'docker engine',
  after: [],
  required: false,
  plan: async () => {
    if (await answers()) return undefined;
    if (!IS_ROOT) return 'one that this account may use: databases of the tests run in containers';
    const packages = (await succeeds('which', ['dockerd']))
      ? ''
      : ', installed by apt-get with iptables and debootstrap';
    return `started for the tests${packages}, stopped after them: databases run in containers`;
  },
  carryOut: async () => {
    if (!IS_ROOT) throw await needsPerson();
    if (!(await succeeds('which', ['dockerd']))) {
      await installPackages(['docker.io', 'iptables', 'debootstrap'], 'There is no Docker Engine');
    }
    if (await answers()) return 'answers now';
    const pid = await startEngine();
    return `started, process ${pid}; log in .cache/dockerd.log`;
  },
};

/** What a person has to do, as we are not root. */
async function needsPerson() {
  const asked = await run('docker', ['version']);
  if (/permission denied/i.test(asked.output)) {
    return new NeedsPersonError(
      'A Docker Engine is here, but this account may not use it',
      'sudo usermod --append --groups docker "$USER", and log in again',
    );
  }
  const commands = {
    darwin: 'brew install colima docker && colima start',
    linux:
      'sudo apt-get install -y docker.io && sudo usermod --append --groups docker "$USER", and log in again',
  };
  const command = process.platform === 'darwin' ? commands.darwin : commands.linux;
  return new NeedsPersonError('No Docker Engine answers', command);
}

/** Whether a Docker Engine can be used by this account. */
export function answers() {
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}']);
}

/**
 * Starts an engine that outlives this process: the tests run in a later one, which calls `stopEngine`.
 *
 * @returns {Promise<number>} Its process id.
 */
async function startEngine() {
  await mkdir(CACHE, { recursive: true });
  for (const { file, program } of LEFT_BY_ENGINES) {
    if (!(await isRunning(file, program))) await rm(file, { force: true });
  }
  const log = openSync(LOG_FILE, 'w');
  const engine = spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const failed = new Promise((resolve) => {
    engine.once('error', (error) => resolve(error.message));
    engine.once('exit', (code) => resolve(`it ended with code ${code}`));
  });
  if (engine.pid === undefined) throw new Error(`dockerd could not be started: ${await failed}`);
  await writeFile(PID_FILE, String(engine.pid));
  const deadline = performance.now() + 30_000;
  while (!(await answers())) {
    const ended = await Promise.race([failed, delay(100)]);
    if (ended === undefined && performance.now() < deadline) continue;
    await stopEngine();
    const text = await readFile(LOG_FILE, 'utf8').catch(() => '');
    const last = text.trimEnd().split('\n').slice(-5).join('\n');
    throw new Error(`dockerd does not answer (${ended ?? 'after 30 s'})\n${last}`);
  }
  engine.unref();
  return engine.pid;
}

/**
 * Stops the engine that we started, if we did, and waits for its end. Never touches another one.
 *
 * @returns {Promise<boolean>} Whether there was one.
 */
export async function stopEngine() {
  const pid = await pidIn(PID_FILE);
  if (pid === 0) return false;
  if (await isRunning(PID_FILE, 'dockerd')) {
    process.kill(pid, 'SIGTERM');
    const deadline = performance.now() + 60_000;
    while (isAlive(pid) && performance.now() < deadline) await delay(100);
  }
  await rm(PID_FILE, { force: true });
  return true;
}

/**
 * Whether the process whose number a file holds is this program: after a crash the number may belong to another one.
 *
 * @param {string} file
 * @param {string} program
 */
async function isRunning(file, program) {
  const pid = await pidIn(file);
  if (pid === 0) return false;
  const command = await run('ps', ['-o', 'comm=', '-p', String(pid)]);
  return command.stdout.trim() === program;
}

/** @param {string} file */
async function pidIn(file) {
  return Number(await readFile(file, 'utf8').catch(() => '0'));
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
