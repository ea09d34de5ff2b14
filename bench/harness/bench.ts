import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Service, startService } from '../../test/support/service.ts';
import { fillSample, type Sample } from './sample-database.ts';
import { type BenchServer, startBenchServer } from './bench-server.ts';

export interface BenchChoice {
  /** Counted runs of each contestant. */
  runs: number;
  /** 1, or 10 for ten times the data. */
  scale: number;
  say: (text: string) => void;
}

/** What sections measure with: servers, services and folders, made when they are first asked for and removed in the end. */
export class Bench implements AsyncDisposable {
  readonly runs: number;
  readonly scale: number;
  readonly say: (text: string) => void;
  readonly #everything = new AsyncDisposableStack();
  #postgres: Promise<BenchServer> | undefined;
  readonly #samples = new Map<number, Promise<Sample>>();

  constructor({ runs, scale, say }: BenchChoice) {
    this.runs = runs;
    this.scale = scale;
    this.say = say;
  }

  /** A PostgreSQL server of its own, one for all sections. */
  postgres(): Promise<BenchServer> {
    this.#postgres ??= this.#startPostgres();
    return this.#postgres;
  }

  /** The sample database, `scale` times its usual size. */
  sample(scale = this.scale): Promise<Sample> {
    const sample = this.#samples.get(scale) ?? this.#fill(scale);
    this.#samples.set(scale, sample);
    return sample;
  }

  /** An empty folder. */
  async folder(purpose: string): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), `backstop-bench-${purpose}-`));
    this.#everything.defer(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  /** The real service, `node dist/main.js`, with a catalog and archives in `dataDir` (left out: a fresh one). */
  async service(dataDir?: string, env: Record<string, string> = {}): Promise<Service> {
    const { clientFolders } = await this.postgres();
    const service = await startService({
      dataDir: dataDir ?? (await this.folder('service')),
      env: {
        PG_BIN_DIRS: clientFolders.join(':'),
        NODE_ENV: 'production',
        // The cache of the tests makes a start quicker, and takes memory, as it would for no user.
        NODE_DISABLE_COMPILE_CACHE: '1',
        ...env,
      },
    });
    this.#everything.use(service);
    return service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#everything.disposeAsync();
  }

  async #startPostgres(): Promise<BenchServer> {
    const server = await startBenchServer();
    this.#everything.defer(() => server.stop());
    this.say(`PostgreSQL ${server.major} started`);
    return server;
  }

  async #fill(scale: number): Promise<Sample> {
    const server = await this.postgres();
    const began = performance.now();
    const sample = await fillSample(server, scale);
    const taken = ((performance.now() - began) / 1000).toFixed(1);
    this.say(`database ${sample.name} filled with ${sample.rows} rows in ${taken} s`);
    return sample;
  }
}
