// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { IS_ROOT } from './paths.mjs';
import { CommandFailedError, run } from './run.mjs';

/**
 * @typedef {object} LocalPostgres
 * @property {string} host
 * @property {number} port
 * @property {string} username
 * @property {string} password
 * @property {(signal?: 'SIGINT' | 'SIGQUIT') => Promise<void>} halt Ends the server: `SIGINT` ends all sessions and says so,
 *   `SIGQUIT` is a crash. Its data stay.
 * @property {() => Promise<void>} resume Starts it again after `halt`, on the same port and data.
 * @property {() => Promise<void>} stop Ends the server at once and removes its data.
 */

/**
 * Starts a throw-away PostgreSQL server from binaries on this machine: loopback only, with a superuser that logs in by
 * password, its data in a temporary folder. Resolves when it takes connections. It ends with this process.
 *
 * @param {object} choice
 * @param {string} choice.bin Folder with `initdb` and `postgres`.
 * @param {string} choice.username
 * @param {string} choice.password
 * @param {readonly string[]} [choice.settings] As `fsync=off`.
 * @returns {Promise<LocalPostgres>}
 */
export async function startLocalPostgres({ bin, username, password, settings = [] }) {
  const account = await unprivilegedAccount();
  const folder = await mkdtemp(join(tmpdir(), 'backstop-postgres-'));
  try {
    if (account) await chown(folder, account.uid, account.gid);
    const port = await freePort();
    await initialise(bin, folder, username, password, account);
    const all = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings];
    const args = ['-D', join(folder, 'data'), ...all.flatMap((setting) => ['-c', setting])];
    const start = () => startServer(join(bin, 'postgres'), args, folder, account);
    let halt = await start();
    const resume = async () => {
      halt = await start();
    };
    const stop = async () => {
      await halt('SIGINT');
      await rm(folder, { recursive: true, force: true });
    };
    return {
      host: '127.0.0.1',
      port,
      username,
      password,
      halt: (signal = 'SIGINT') => halt(signal),
      resume,
      stop,
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Resolves when the server takes connections, with what ends it.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {string} folder
 * @param {{ uid: number, gid: number } | undefined} account
 * @returns {Promise<(signal: 'SIGINT' | 'SIGQUIT') => Promise<void>>}
 */
async function startServer(file, args, folder, account) {
  const server = spawn(file, args, {
    ...account,
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => server.once('close', resolve));
  const killWithUs = () => server.kill('SIGQUIT');
  process.once('exit', killWithUs);
  await untilReady(server);
  return async (signal) => {
    process.off('exit', killWithUs);
    server.kill(signal);
    await exited;
  };
}

/**
 * PostgreSQL refuses to run as root.
 *
 * @returns {Promise<{ uid: number, gid: number } | undefined>} Undefined when we are not root.
 */
async function unprivilegedAccount() {
  if (!IS_ROOT) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const uid = await run('id', ['-u', name]);
    const gid = await run('id', ['-g', name]);
    if (uid.code === 0 && gid.code === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no account "nobody" to run it under');
}

/**
 * @param {string} bin
 * @param {string} folder
 * @param {string} username
 * @param {string} password
 * @param {{ uid: number, gid: number } | undefined} account
 */
async function initialise(bin, folder, username, password, account) {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const args = [
    '-D',
    join(folder, 'data'),
    '-U',
    username,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
  ];
  args.push('--encoding=UTF8', '--no-locale', '--no-sync');
  const child = spawn(join(bin, 'initdb'), args, {
    ...account,
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new CommandFailedError('initdb', args, { code: code ?? 128, stdout: '', output });
  await rm(passwordFile);
}

/**
 * Resolves at the line by which the server says that it takes connections; rejects with what it printed when it ends first.
 *
 * @param {import('node:child_process').ChildProcessByStdio<null, null, import('node:stream').Readable>} server
 */
async function untilReady(server) {
  /** @type {string[]} */
  const printed = [];
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('close', () =>
      reject(new Error(`the PostgreSQL server ended at once:\n${printed.join('\n')}`)),
    );
    // Read for ever: a server whose stderr nobody reads stands still when the pipe is full.
    createInterface({ input: server.stderr }).on('line', (line) => {
      if (printed.length < 50) printed.push(line);
      if (line.includes('ready to accept connections')) resolve(undefined);
    });
  });
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
