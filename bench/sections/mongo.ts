import { delimiter, join } from 'node:path';

import { MongoClient } from 'mongodb';

import { ensureImage } from '../../scripts/setup/images.mjs';
import { startMongoContainer } from '../../test/support/mongo-container.ts';
import { mongoTitle, mongoUri, type MongoServer } from '../../test/support/mongo-server.ts';
import { findMongoTools } from '../../test/support/mongo-tools.ts';
import type { Service } from '../../test/support/service.ts';
import { alternate, type Laps, medianOf, ratioOf } from '../harness/alternate.ts';
import { ask, completed } from '../harness/api.ts';
import type { Bench } from '../harness/bench.ts';
import { flushDisks, shell, timedShell } from '../harness/commands.ts';
import { goal, megabytes, seconds, times } from '../harness/figures.ts';
import { forgetPeak, residentBytes } from '../harness/process-figures.ts';
import type { Section, Table } from '../harness/section.ts';

const OWN = 'Backstop, POST /backups until completed (built-in source)';
const FIND = 'a plain find of everything by the driver, raw';
const OWN_BY_TOOL = 'Backstop, POST /backups until completed (mongodump)';
const PIPE = 'mongodump --archive | zstd -3';
const GZIP = 'mongodump --archive --gzip';
const RESTORE = 'Backstop, POST …/restore until completed';
const INSERT = 'insertMany of as many documents by the driver';
const LOAD = 'zstd -dc | mongorestore --archive';
const DATABASE = 'bench';
const DOCUMENTS = 300_000;
const COLLECTIONS = ['a', 'b', 'c'] as const;

/** Backups and restores of MongoDB, against the least that reads and writes the same documents, and against its tools. */
export const mongo: Section = {
  name: 'mongo',
  about: 'MongoDB by either source, against the bare driver, and against its tools where they are installed',
  async run(bench: Bench): Promise<Table[]> {
    // The reaper's image is one more that may not be had; the container is removed below.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
    const tools = await findMongoTools();
    // For the shell, and for the service.
    if (tools.areLocal) process.env['PATH'] = [...tools.folders, process.env['PATH']].join(delimiter);
    bench.say(
      tools.areLocal ? `tools in ${tools.folders.join()}` : 'no MongoDB Database Tools on this machine',
    );
    const started = await startMongoContainer(
      { major: 8, isReplicaSet: false },
      await ensureImage('mongo:8'),
      'bench',
    );
    try {
      const { username, password } = started.server;
      await using client = new MongoClient(mongoUri(started.server), { auth: { username, password } });
      bench.say(`${mongoTitle(started.server)} started`);
      await fill(client, DOCUMENTS * bench.scale);
      const service = await bench.service();
      const measure = new Measure(bench, service, started.server, client);
      const backups = await measure.backups(tools.areLocal);
      const restores = await measure.restores(tools.areLocal);
      await service.stop();
      return [tableOf(mongoTitle(started.server), measure, backups, restores)];
    } finally {
      await started.stop();
    }
  },
};

/** The contestants, on one service and one server. */
class Measure {
  readonly #bench: Bench;
  readonly #service: Service;
  readonly #server: MongoServer;
  readonly #client: MongoClient;
  /** Of the service, in bytes: for each backup and restore. */
  readonly peaks: number[] = [];
  plainBytes = 0;

  constructor(bench: Bench, service: Service, server: MongoServer, client: MongoClient) {
    this.#bench = bench;
    this.#service = service;
    this.#server = server;
    this.#client = client;
  }

  async backups(hasTools: boolean): Promise<Laps> {
    await this.#register('sample', 'builtin');
    const contestants = [
      { name: OWN, run: () => this.#backUp('sample') },
      { name: FIND, run: () => timed(() => findAll(this.#client)) },
    ];
    if (hasTools) {
      await this.#register('by-tool', 'mongodump');
      contestants.push(
        { name: OWN_BY_TOOL, run: () => this.#backUp('by-tool') },
        {
          name: PIPE,
          run: () => this.#byShell(`mongodump $AT --db=${DATABASE} --archive | zstd -3 -q > "$FILE"`),
        },
        { name: GZIP, run: () => this.#byShell(`mongodump $AT --db=${DATABASE} --archive --gzip > "$FILE"`) },
      );
    }
    return alternate(contestants, this.#bench.runs, this.#bench.say);
  }

  async restores(hasTools: boolean): Promise<Laps> {
    const { work: backup } = await completed(this.#service, '/backups', { database_id: 'sample' });
    this.plainBytes = backup.plain_bytes;
    const contestants = [
      { name: RESTORE, run: () => this.#bringBack(backup.id) },
      { name: INSERT, run: () => insertAll(this.#client, DOCUMENTS * this.#bench.scale) },
    ];
    if (hasTools) contestants.push({ name: LOAD, run: () => this.#load() });
    return alternate(contestants, this.#bench.runs, this.#bench.say);
  }

  async #register(name: string, tool: string): Promise<void> {
    const { host, port, username, password } = this.#server;
    const where = { host, port, username, password, database_name: DATABASE };
    await ask(this.#service, 'POST', '/databases', { name, engine: 'mongodb', ...where, options: { tool } });
  }

  async #backUp(database: string): Promise<number> {
    await forgetPeak(this.#service.pid);
    const { work, seconds: taken } = await completed(this.#service, '/backups', { database_id: database });
    this.peaks.push((await residentBytes(this.#service.pid)).peak);
    await ask(this.#service, 'DELETE', `/backups/${work.id}?force=true`);
    await flushDisks();
    return taken;
  }

  async #bringBack(backupId: string): Promise<number> {
    await forgetPeak(this.#service.pid);
    const body = { target: { database_name: 'bench_restored' } };
    const { seconds: taken } = await completed(this.#service, `/backups/${backupId}/restore`, body);
    this.peaks.push((await residentBytes(this.#service.pid)).peak);
    await this.#client.db('bench_restored').dropDatabase();
    return taken;
  }

  async #load(): Promise<number> {
    const names = `--nsFrom='${DATABASE}.*' --nsTo='bench_loaded.*'`;
    const dump = `mongodump $AT --db=${DATABASE} --archive | zstd -3 -q > "$FILE"`;
    const taken = await this.#byShell(`zstd -dc "$FILE" | mongorestore $AT --archive ${names}`, dump);
    await this.#client.db('bench_loaded').dropDatabase();
    return taken;
  }

  /** A line of bash with the tools, timed; `before` is not. */
  async #byShell(line: string, before?: string): Promise<number> {
    const { username, password } = this.#server;
    const folder = await this.#bench.folder('mongo-tools');
    // No secret: the server is thrown away when the bench ends.
    const at = `--quiet --uri=${mongoUri(this.#server)} --username=${username} --password=${password} --authenticationDatabase=admin`;
    const env = { AT: at, FILE: join(folder, 'dump') };
    if (before !== undefined) await shell(before, env);
    const taken = await timedShell(line, env);
    await shell('rm "$FILE"', env);
    return taken;
  }
}

function tableOf(title: string, { peaks, plainBytes }: Measure, backups: Laps, restores: Laps): Table {
  const row = (laps: Laps, name: string, figure = '', aim = ''): string[] => [
    name,
    seconds(medianOf(laps, name)),
    figure,
    aim,
  ];
  const against = (laps: Laps, own: string, other: string, limit?: number): string[] => {
    const ratio = ratioOf(laps, own, other);
    return row(
      laps,
      other,
      `${times(ratio)} its time`,
      limit === undefined ? '' : goal(`≤ ${limit} ×`, ratio <= limit),
    );
  };
  const hasTools = backups.has(PIPE);
  const faster = hasTools ? ratioOf(backups, GZIP, OWN_BY_TOOL) : Number.NaN;
  return {
    title: `MongoDB: wall time, ${megabytes(plainBytes)} on ${title}`,
    columns: ['', 'figure', 'Backstop', 'goal'],
    rows: [
      row(backups, OWN),
      against(backups, OWN, FIND, 1.15),
      ...(hasTools
        ? [
            row(backups, OWN_BY_TOOL),
            against(backups, OWN_BY_TOOL, PIPE, 1.15),
            row(backups, GZIP, `${times(faster)} faster`, goal('≥ 2 ×', faster >= 2)),
          ]
        : []),
      row(restores, RESTORE),
      against(restores, RESTORE, INSERT),
      ...(hasTools ? [against(restores, RESTORE, LOAD)] : []),
      ['highest resident memory of the service', megabytes(Math.max(...peaks)), '', ''],
    ],
    notes: [
      'Within its time Backstop also checks, compresses, digests and stores; restoring, it checks the archive first and counts what',
      'it loaded afterwards. It restores by mongorestore where that is installed, and else by what is built in.',
      ...(hasTools
        ? []
        : ['The MongoDB Database Tools are not installed here, so nothing was measured against them.']),
    ],
  };
}

async function fill(client: MongoClient, documents: number): Promise<void> {
  for (const name of COLLECTIONS) {
    await insertInto(client, DATABASE, name, Math.floor(documents / COLLECTIONS.length));
  }
}

async function insertInto(client: MongoClient, database: string, name: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += 10_000) {
    const documents = Array.from({ length: Math.min(10_000, count - at) }, (_, index) =>
      documentOf(at + index),
    );
    await client.db(database).collection(name).insertMany(documents, { ordered: false });
  }
}

/** About 280 bytes, half of which compress badly. */
function documentOf(n: number): { n: number; when: Date; name: string; body: string; key: string } {
  const key = Math.imul(n, 2_654_435_761).toString(36).repeat(16);
  return { n, when: new Date(n * 1000), name: `customer ${n}`, body: 'words and words '.repeat(6), key };
}

async function findAll(client: MongoClient): Promise<void> {
  await Promise.all(
    COLLECTIONS.map(async (name) => {
      const cursor = client.db(DATABASE).collection(name).find({}, { raw: true, batchSize: 10_000 });
      while (await cursor.hasNext()) cursor.readBufferedDocuments();
    }),
  );
}

async function insertAll(client: MongoClient, documents: number): Promise<number> {
  const taken = await timed(() =>
    Promise.all(
      COLLECTIONS.map((name) => insertInto(client, 'bench_inserted', name, Math.floor(documents / 3))),
    ),
  );
  await client.db('bench_inserted').dropDatabase();
  return taken;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
