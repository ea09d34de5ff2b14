import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { CACHE } from '../../scripts/setup/paths.mjs';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** What V8 has compiled is kept for the next start; tests start hundreds, and it is a sixth of the CPU time of each (measured). */
const COMPILED = join(CACHE, 'compiled');
/** Longer than a start takes beside a dozen others on two cores. */
const START_DEADLINE_MS = 90_000;
/** What a child may need to vanish after the service is gone: moments, or longer on a machine with no CPU to spare. */
const CHILDREN_DEADLINE_MS = 30_000;

/** One line of the service's log. */
export interface LogLine {
  level: string;
  msg: string;
  context?: string;
  [field: string]: unknown;
}

/** An answer, read to its end. `body` is the parsed JSON when the answer is JSON, else undefined. */
export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

export interface ServiceExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ServiceOptions {
  /** Settings; nothing of the test's own environment but PATH is passed on. */
  env?: Record<string, string>;
  /** Working folder to go on with, after a restart; it stays. Left out: a fresh one, removed with the service. */
  dataDir?: string;
}

/** A running service: the real `node dist/main.js`, as a user starts it. */
export interface Service extends AsyncDisposable {
  /** `http://127.0.0.1:41234` */
  url: string;
  pid: number;
  /** Its working folder; the catalog is in `data/backup.db`, archives are in `data/backups`. */
  dataDir: string;
  /** What it has logged so far. */
  logs(): LogLine[];
  stderr(): string;
  request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  /** Resolves when it has ended, by itself or by `stop`. */
  ended: Promise<ServiceExit>;
  /**
   * Ends it and resolves when it, and every process that it started, is gone; rejects when one of them is left. SIGKILL does
   * not check the children: it is how tests play a crash.
   */
  stop(signal?: NodeJS.Signals): Promise<ServiceExit>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** A service that ended before it listened. */
export class ServiceEndedError extends Error {
  // Written out, as `node` itself runs this file for the bench: it takes types away and rewrites nothing.
  readonly exit: ServiceExit;

  constructor(exit: ServiceExit) {
    super(`the service ended with ${exit.code ?? exit.signal}: ${exit.stderr}`);
    this.exit = exit;
  }
}

/**
 * Starts the service on a free port and resolves when it listens.
 * @throws ServiceEndedError when it ends before
 */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'backstop-service-')));
  const launched = launch(dataDir, options.env ?? {});
  const listening = await Promise.race([launched.listening, launched.exit]).catch(async (late: unknown) => {
    // Nobody gets a service that can be stopped, so it must not live on: it would hold its folder, and work.
    launched.child.kill('SIGKILL');
    await launched.exit;
    throw late;
  });
  if (typeof listening !== 'string') {
    throw new ServiceEndedError(listening);
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<ServiceExit> => {
    if (launched.child.exitCode === null && launched.child.signalCode === null) launched.child.kill(signal);
    const exit = await launched.exit;
    if (signal !== 'SIGKILL') await expectNoChildren(dataDir);
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    return exit;
  };
  return {
    url: listening,
    pid: launched.child.pid ?? Number.NaN,
    dataDir,
    logs: launched.logs,
    stderr: launched.stderr,
    request: (method, path, body, headers) => request(`${listening}${path}`, method, body, headers),
    ended: launched.exit,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** Starts a service that is expected to refuse to start; resolves with how it ended. */
export async function startFailingService(options: ServiceOptions = {}): Promise<ServiceExit> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'backstop-service-')));
  const launched = launch(dataDir, options.env ?? {});
  try {
    const outcome = await Promise.race([launched.listening, launched.exit]);
    if (typeof outcome !== 'string') return outcome;
    throw new Error(`the service was expected to refuse to start, but it listens on ${outcome}`);
  } finally {
    launched.child.kill('SIGKILL');
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}

interface Launched {
  child: Child;
  listening: Promise<string>;
  exit: Promise<ServiceExit>;
  logs: () => LogLine[];
  stderr: () => string;
}

function launch(dataDir: string, env: Record<string, string>): Launched {
  const child = spawn(process.execPath, [MAIN], {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: dataDir,
      PORT: '0',
      NODE_COMPILE_CACHE: COMPILED,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const lines: string[] = [];
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const listening = new Promise<string>((resolve, reject) => {
    const late = AbortSignal.timeout(START_DEADLINE_MS);
    const reason = (): string => `not listening after ${START_DEADLINE_MS} ms: ${errors.join('')}`;
    late.addEventListener('abort', () => reject(new Error(reason())));
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const { msg, url } = parseLine(line);
      if (msg === 'Backstop is listening' && typeof url === 'string') resolve(url);
    });
  });
  // The loser of the race in `startService` is nobody's.
  listening.catch(() => undefined);
  const exit = once(child, 'close').then(() => {
    process.off('exit', kill);
    return {
      code: child.exitCode,
      signal: child.signalCode,
      stdout: lines.join('\n'),
      stderr: errors.join(''),
    };
  });
  return { child, listening, exit, logs: () => lines.map(parseLine), stderr: () => errors.join('') };
}

function parseLine(line: string): LogLine {
  try {
    const parsed: LogLine = JSON.parse(line);
    return parsed;
  } catch {
    return { level: 'unparsed', msg: line };
  }
}

async function request<Body>(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const sent = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(url, {
    method,
    headers: { ...sent, ...headers },
    redirect: 'manual',
    // A text is sent as it is, for bodies that are no JSON.
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const parsed: Body = isJson && text !== '' ? JSON.parse(text) : undefined;
  return {
    status: response.status,
    headers: response.headers,
    body: parsed,
    text,
  };
}

/** Waits until no process of a service is left, and throws with their command lines when some stay. */
async function expectNoChildren(dataDir: string): Promise<void> {
  const deadline = performance.now() + CHILDREN_DEADLINE_MS;
  for (;;) {
    const left = await processesOf(dataDir);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`the service left processes: ${left.join('; ')}`);
    await delay(50);
  }
}

/**
 * Command lines of the living processes of a service: those in whose environment its working folder stands. The service has it
 * as HOME, and the tools that it starts have it in PGPASSFILE, also when they have left the process tree. Empty where there is
 * no /proc.
 */
export async function processesOf(dataDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(`=${dataDir}\0`) && !environment.includes(`=${dataDir}/`)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command !== '') found.push(`${pid} ${command.replaceAll('\0', ' ').trim()}`);
  }
  return found;
}
