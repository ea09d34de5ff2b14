import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { DEMO_LABEL } from '../../scripts/demo/mongo-server.ts';
import { hasImage } from '../../scripts/setup/images.mjs';
import { run } from '../../scripts/setup/run.mjs';
import { hasDockerEngine } from '../support/containers.ts';

import { beforeEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../scripts/demo/main.ts', import.meta.url));
const DEADLINE_MS = 600_000;
/** What the system may need to take away the processes of a demo that has ended. */
const LEFTOVERS_DEADLINE_MS = 60_000;
/** Downloaded server binaries are kept between runs, on purpose. */
const KEPT = 'backstop-embedded-postgres';

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A demo with a temporary folder and a home of its own, by which whatever it leaves behind is known. */
class Demo implements AsyncDisposable {
  readonly home: string;
  readonly #ended: Promise<Exit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #output = '';

  private constructor(home: string, args: string[], env: Record<string, string>) {
    this.home = home;
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, PORT: '0', ...env, TMPDIR: home, HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#ended = once(this.#child, 'close').then(() => ({
      code: this.#child.exitCode,
      signal: this.#child.signalCode,
    }));
  }

  static async start(args: string[] = [], env: Record<string, string> = {}): Promise<Demo> {
    const home = await mkdtemp(join(tmpdir(), 'demo-e2e-'));
    // For root the sample server runs under another account, which must get at its data in here.
    await chmod(home, 0o755);
    await mkdir(join(tmpdir(), KEPT), { recursive: true });
    await symlink(join(tmpdir(), KEPT), join(home, KEPT));
    return new Demo(home, args, env);
  }

  get output(): string {
    return this.#output;
  }

  /** Names of the folders that it said to use. */
  get #folders(): string[] {
    return [...this.#output.matchAll(/backstop-demo-\w+/g)].map(([name]) => name);
  }

  /** Resolves when the demo has ended; rejects with what it printed when it does not. */
  async ended(): Promise<Exit> {
    const late = new AbortController();
    const lateness = delay(DEADLINE_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error(`it does not end\n${this.#output}`);
    });
    try {
      return await Promise.race([this.#ended, lateness]);
    } finally {
      late.abort();
      lateness.catch(() => undefined);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the match once the demo has printed it; rejects with what it printed when it ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`not printed: ${pattern}\n${this.#output}`);
      }
      await delay(20);
    }
  }

  /** Files and processes that are still there. Waits a little for processes to vanish. */
  async leftovers(): Promise<string[]> {
    const deadline = performance.now() + LEFTOVERS_DEADLINE_MS;
    for (;;) {
      const files = (await readdir(this.home)).filter(
        (name) => name.startsWith('backstop-') && name !== KEPT,
      );
      const processes = (await processesThatName(this.home)).map(({ command }) => command);
      const left = [...files, ...processes, ...(await containersOf(this.#folders))];
      if (left.length === 0 || performance.now() > deadline) return left;
      await delay(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL');
    await this.#ended;
    for (const { pid } of await processesThatName(this.home)) process.kill(pid, 'SIGKILL');
    for (const folder of this.#folders) await removeContainersOf(folder);
    await rm(this.home, { recursive: true, force: true });
  }
}

/** Containers of demos with these folders. */
async function containersOf(folders: readonly string[]): Promise<string[]> {
  if (!(await hasDockerEngine())) return [];
  const filter = `label=${DEMO_LABEL}`;
  const listed = await run('docker', [
    'ps',
    '-a',
    '--filter',
    filter,
    '--format',
    `{{.Label "${DEMO_LABEL}"}}`,
  ]);
  return listed.stdout.split('\n').filter((name) => folders.includes(name));
}

/** A demo that was killed cannot do it. */
async function removeContainersOf(folder: string): Promise<void> {
  const listed = await run('docker', ['ps', '-aq', '--filter', `label=${DEMO_LABEL}=${folder}`]);
  const ids = listed.stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await run('docker', ['rm', '--force', '--volumes', ...ids]);
}

/** Whether the demo can start a MongoDB server. */
async function hasMongo(): Promise<boolean> {
  if (!(await hasDockerEngine())) return false;
  return (await hasImage('mongo:8')) || (await hasImage('local/mongo:8'));
}

/** Living processes that have `text` in their command line or environment. */
async function processesThatName(text: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (command === '' || !`${command}\0${environment}`.includes(text)) continue;
    found.push({ pid: Number(pid), command: command.replaceAll('\0', ' ').trim() });
  }
  return found;
}

describe('npm run demo', { timeout: 3 * DEADLINE_MS }, () => {
  beforeEach((context) => {
    context.skip(process.platform !== 'linux', 'what is left running is read from /proc');
  });

  it('shows a backup that is proven, on another port when its own is taken, and leaves nothing', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    await using demo = await Demo.start(['--once'], { PORT: port });

    expect(await demo.ended(), demo.output).toEqual({ code: 0, signal: null });
    taken.close();

    expect(demo.output).toContain(`Port ${port} is taken`);
    const steps = [...demo.output.matchAll(/^ {2}(\d) {2}\S/gm)].map((match) => match[1]);
    expect(steps).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(demo.output).toMatch(/✓ "shop" filled: \d+ tables, [2-9]\d\d,\d{3} rows/);
    expect(demo.output).toMatch(/shop\.gift cards +600 +600 +✓/);
    expect(demo.output).toMatch(/ 8 large objects\n/);
    expect(demo.output).toMatch(/✓ evidence: proven$/m);
    // A server of MongoDB is there wherever the tests of it have one.
    if (await hasMongo()) {
      expect(demo.output).toMatch(/✓ "reviews" filled: 3 collections, 24,600 documents/);
      expect(demo.output).toMatch(/gift cards +600 +600 +✓/);
      expect(demo.output).toMatch(/✓ evidence: proven, hashes of all documents/);
    } else {
      expect(demo.output).toMatch(/The same for MongoDB\n +Left out: \S.*\.\n/);
    }
    expect(demo.output).not.toContain('✗');
    // Not a terminal: neither colour nor a line that moves.
    expect(demo.output).not.toContain('\u001b');
    expect(demo.output).not.toContain('\r');
    const tooLong = demo.output.split('\n').filter((line) => line.length > 100);
    expect(tooLong).toEqual([]);
    expect(await demo.leftovers()).toEqual([]);
  });

  it('serves what it printed until Ctrl-C, and leaves nothing', async () => {
    await using demo = await Demo.start();
    await demo.printed(/Ctrl-C stops everything/);

    const links = [...demo.output.matchAll(/ (http:\/\/127\.0\.0\.1:\d+\/\S+)/g)].map(
      (match) => match[1] ?? '',
    );
    expect(links.length).toBeGreaterThanOrEqual(4);
    for (const link of links) expect((await fetch(link)).status, link).toBe(200);

    demo.kill('SIGINT');
    expect(await demo.ended(), demo.output).toEqual({ code: 0, signal: null });
    expect(await demo.leftovers()).toEqual([]);
  });

  it('leaves nothing when it is told to end in the middle', async () => {
    await using demo = await Demo.start();
    await demo.printed(/Back it up/);
    demo.kill('SIGTERM');
    expect(await demo.ended(), demo.output).toEqual({ code: 143, signal: null });
    expect(await demo.leftovers()).toEqual([]);
  });

  it('leaves MongoDB out with a reason where no Docker Engine answers, and proves the rest', async () => {
    await using demo = await Demo.start(['--once'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    expect(await demo.ended(), demo.output).toEqual({ code: 0, signal: null });
    expect(demo.output).toMatch(/The same for MongoDB\n +Left out: no Docker Engine answers here\.\n/);
    expect(demo.output).toMatch(/✓ evidence: proven$/m);
    expect(await demo.leftovers()).toEqual([]);
  });

  it('leaves nothing when it is told to end while MongoDB runs', async (context) => {
    context.skip(!(await hasMongo()), 'there is no Docker Engine, or no MongoDB image');
    await using demo = await Demo.start();
    await demo.printed(/"reviews" filled/);
    demo.kill('SIGINT');
    expect(await demo.ended(), demo.output).toEqual({ code: 130, signal: null });
    expect(await demo.leftovers()).toEqual([]);
  });

  it('says so and leaves nothing when the service dies', async () => {
    await using demo = await Demo.start();
    await demo.printed(/serving on/);
    const service = (await processesThatName(demo.home)).find(({ command }) =>
      command.includes('dist/main.js'),
    );
    process.kill(service?.pid ?? Number.NaN, 'SIGKILL');
    expect(await demo.ended(), demo.output).toEqual({ code: 1, signal: null });
    expect(demo.output).toContain('✗ the service ended by itself (signal SIGKILL)');
    expect(await demo.leftovers()).toEqual([]);
  });
});
