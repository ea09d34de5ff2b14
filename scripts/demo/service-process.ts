import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 50;
const START_SECONDS = 60;
/** The service ends by itself within its own grace time, which we set to less than this. */
const STOP_SECONDS = 15;
const GRACE_SECONDS = 5;
const LOG_TAIL_LINES = 15;
const DEATH_KNOWN_MS = 1000;

export interface ServiceChoice {
  /** The project, built. */
  project: string;
  /** Catalog, archives, temporary files and log go here. */
  folder: string;
  port: number;
  pgBinDirs: readonly string[];
  signal: AbortSignal;
}

/** The service ended although nobody asked it to. */
export class ServiceDiedError extends Error {
  constructor(how: string, log: string) {
    super(`the service ended by itself (${how}); its log ends with:\n${log}`);
    this.name = 'ServiceDiedError';
  }
}

/** The real service, as `npm start` runs it, in a process of its own. */
export class ServiceProcess {
  readonly url: string;
  readonly backupDir: string;
  readonly logFile: string;
  /** Resolves with the reason when the service ends without having been asked to. Never rejects. */
  readonly died: Promise<ServiceDiedError>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #killWithUs: () => void;
  #isStopping = false;

  private constructor(child: ChildProcess, choice: ServiceChoice) {
    this.#child = child;
    this.url = `http://127.0.0.1:${choice.port}`;
    this.backupDir = join(choice.folder, 'backups');
    this.logFile = join(choice.folder, 'service.log');
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
    this.died = this.#awaitDeath();
    this.#killWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', this.#killWithUs);
  }

  /** Starts it and resolves when it says that it is ready. When it rejects, nothing of it is left running. */
  static async start(choice: ServiceChoice): Promise<ServiceProcess> {
    const log = await open(join(choice.folder, 'service.log'), 'w', 0o600);
    try {
      // A group of its own: Ctrl-C reaches us alone, and we end it in order.
      const child = spawn(process.execPath, [join(choice.project, 'dist/main.js')], {
        cwd: choice.folder,
        env: environmentOf(choice),
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      });
      const service = new ServiceProcess(child, choice);
      try {
        await service.#untilReady(choice.signal);
        return service;
      } catch (error) {
        await service.stop();
        throw error;
      }
    } finally {
      await log.close();
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks it to end, waits, and ends it by force when it does not. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_SECONDS * 1000);
    await this.#ended;
    clearTimeout(timer);
    process.off('exit', this.#killWithUs);
  }

  /** The service's death, when that is why a request to it broke; else the error itself. */
  async explain(reason: unknown): Promise<unknown> {
    // What `fetch` throws when the connection breaks. The process's end is told a moment later.
    if (!(reason instanceof TypeError)) return reason;
    const known = new AbortController();
    const patience = wait(DEATH_KNOWN_MS, reason, { signal: known.signal });
    try {
      return await Promise.race([this.died, patience]);
    } finally {
      known.abort();
      patience.catch(() => undefined);
    }
  }

  async #awaitDeath(): Promise<ServiceDiedError> {
    const how = await this.#ended;
    if (this.#isStopping) return new Promise(() => undefined);
    return new ServiceDiedError(how, await tailOf(this.logFile));
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    let death: ServiceDiedError | undefined;
    void this.died.then((reason) => (death = reason));
    const deadline = performance.now() + START_SECONDS * 1000;
    for (;;) {
      signal.throwIfAborted();
      if (death !== undefined) throw death;
      if (performance.now() > deadline) {
        throw new Error(
          `the service was not ready after ${START_SECONDS} s; its log ends with:\n${await tailOf(this.logFile)}`,
        );
      }
      const answer = await fetch(`${this.url}/health/ready`, { signal }).catch(() => undefined);
      if (answer?.ok) return;
      await wait(POLL_MS, undefined, { signal });
    }
  }
}

/** Only what the service needs: no setting of whoever runs the demo may lead it to his own data. */
function environmentOf({ folder, port, pgBinDirs }: ServiceChoice): Record<string, string> {
  const environment: Record<string, string> = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_PATH: join(folder, 'backup.db'),
    BACKUP_DIR: join(folder, 'backups'),
    WORK_DIR: join(folder, 'work'),
    PG_BIN_DIRS: pgBinDirs.join(':'),
    SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS),
    NODE_ENV: 'production',
  };
  for (const name of ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

async function tailOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

/** `wanted` where nobody listens on it, else any free port. */
export async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
  } catch (error) {
    if (wanted !== 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort(0);
    throw error;
  }
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : wanted;
}
