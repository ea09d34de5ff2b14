import { MongoClient } from 'mongodb';

import { ensureImage } from '../../scripts/setup/images.mjs';
import { startMongoContainer } from '../../test/support/mongo-container.ts';
import { mongoTitle, mongoUri, type MongoServer } from '../../test/support/mongo-server.ts';
import type { Service } from '../../test/support/service.ts';
import { alternate, medianOf, ratioOf } from '../harness/alternate.ts';
import { ask, completed } from '../harness/api.ts';
import type { Bench } from '../harness/bench.ts';
import { flushDisks } from '../harness/commands.ts';
import { goal, megabytes, seconds, times } from '../harness/figures.ts';
import { forgetPeak, residentBytes } from '../harness/process-figures.ts';
import type { Section, Table } from '../harness/section.ts';

const OWN = 'Backstop, POST /backups until completed (built-in source)';
const FIND = 'a plain find of everything by the driver, raw';
const RESTORE = 'Backstop, POST …/restore until completed (built in)';
const INSERT = 'insertMany of as many documents by the driver';
const DATABASE = 'bench';
const DOCUMENTS = 300_000;
const COLLECTIONS = ['a', 'b', 'c'] as const;

/** Backups and restores of MongoDB without its tools, against the least that reads and writes the same documents. */
export const mongo: Section = {
  name: 'mongo',
  about: 'MongoDB by the built-in source, against the bare driver',
  async run(bench: Bench): Promise<Table[]> {
    // The reaper's image is one more that may not be had; the container is removed below.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
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
      const tables = await measure(bench, service, started.server, client);
      await service.stop();
      return tables;
    } finally {
      await started.stop();
    }
  },
};

async function measure(
  bench: Bench,
  service: Service,
  server: MongoServer,
  client: MongoClient,
): Promise<Table[]> {
  const { host, port, username, password } = server;
  const where = { host, port, username, password, database_name: DATABASE };
  await ask(service, 'POST', '/databases', { name: 'sample', engine: 'mongodb', ...where });
  const peaks: number[] = [];
  const backups = await alternate(
    [
      { name: OWN, run: () => backUp(service, peaks) },
      { name: FIND, run: () => timed(() => findAll(client)) },
    ],
    bench.runs,
    bench.say,
  );
  const { work: backup } = await completed(service, '/backups', {});
  const restores = await alternate(
    [
      { name: RESTORE, run: () => bringBack(service, client, backup.id, peaks) },
      { name: INSERT, run: () => insertAll(client, DOCUMENTS * bench.scale) },
    ],
    bench.runs,
    bench.say,
  );
  const peak = Math.max(...peaks);
  const [toFind, toInsert] = [ratioOf(backups, OWN, FIND), ratioOf(restores, RESTORE, INSERT)];
  return [
    {
      title: `MongoDB: wall time, ${megabytes(backup.plain_bytes)} on ${mongoTitle(server)}`,
      columns: ['', 'figure', 'Backstop', 'goal'],
      rows: [
        [OWN, seconds(medianOf(backups, OWN)), '', ''],
        [
          FIND,
          seconds(medianOf(backups, FIND)),
          `${times(toFind)} its time`,
          goal('≤ 1.15 ×', toFind <= 1.15),
        ],
        [RESTORE, seconds(medianOf(restores, RESTORE)), '', ''],
        [INSERT, seconds(medianOf(restores, INSERT)), `${times(toInsert)} its time`, ''],
        ['highest resident memory of the service', megabytes(peak), '', ''],
      ],
      notes: [
        'Within its time Backstop also checks, compresses, digests and stores; restoring, it checks the archive first and counts what',
        'it loaded afterwards. mongodump and mongorestore take part where they are installed; here they are not.',
      ],
    },
  ];
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

async function backUp(service: Service, peaks: number[]): Promise<number> {
  await forgetPeak(service.pid);
  const { work, seconds: taken } = await completed(service, '/backups', {});
  peaks.push((await residentBytes(service.pid)).peak);
  await ask(service, 'DELETE', `/backups/${work.id}?force=true`);
  await flushDisks();
  return taken;
}

async function bringBack(
  service: Service,
  client: MongoClient,
  backupId: string,
  peaks: number[],
): Promise<number> {
  await forgetPeak(service.pid);
  const body = { target: { database_name: 'bench_restored' } };
  const { seconds: taken } = await completed(service, `/backups/${backupId}/restore`, body);
  peaks.push((await residentBytes(service.pid)).peak);
  await client.db('bench_restored').dropDatabase();
  return taken;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
