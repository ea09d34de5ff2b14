import type { Document } from 'mongodb';

import type { Manifest } from '../../src/archive/manifest.ts';
import type { BackupView } from '../../src/backups/backup.view.ts';
import type { ProbeView } from '../../src/databases/dto/probe.view.ts';
import type { RestoreView } from '../../src/restore/restore.view.ts';
import { bytes, count, counted, seconds } from './figures.ts';
import { type DemoMongo, startDemoMongo } from './mongo-server.ts';
import type { Stage } from './stage.ts';
import type { Column } from './terminal.ts';
import { timed } from './timed.ts';
import { TourFailedError } from './tour-failed.ts';

const REVIEWS = 'reviews';
const DOCUMENTS = { products: 4_000, reviews: 20_000, 'gift cards': 600 } as const;
const BATCH = 5_000;

const COLUMNS: readonly Column[] = [
  { title: 'collection', align: 'left' },
  { title: 'in the backup', align: 'right' },
  { title: 'restored', align: 'right' },
  { title: '', align: 'left' },
];

/** The same service with a MongoDB server, where one can be had without installing anything; else one line says why not. */
export async function showMongo(stage: Stage): Promise<void> {
  const { terminal, folder, signal } = stage;
  terminal.step('The same for MongoDB');
  const [mongo, starting] = await timed(() => startDemoMongo(folder, signal));
  if (typeof mongo === 'string') {
    terminal.note(`Left out: ${mongo}.`);
    return;
  }
  try {
    terminal.done(`${mongo.title} started, for this demo only`, starting);
    const [, filling] = await timed(() => fillReviews(mongo, signal));
    const documents = Object.values(DOCUMENTS).reduce((sum, one) => sum + one, 0);
    terminal.done(`"${REVIEWS}" filled: 3 collections, ${counted(documents, 'document')}`, filling);
    const backup = await backUp(stage, mongo);
    await restoreAndCompare(stage, mongo, backup);
  } finally {
    await mongo.stop();
  }
}

async function fillReviews({ client }: DemoMongo, signal: AbortSignal): Promise<void> {
  const database = client.db(REVIEWS);
  for (const [name, documents] of Object.entries(DOCUMENTS)) {
    for (let at = 0; at < documents; at += BATCH) {
      signal.throwIfAborted();
      const batch = Array.from({ length: Math.min(BATCH, documents - at) }, (_, n) =>
        documentOf(name, at + n),
      );
      await database.collection(name).insertMany(batch, { ordered: false });
    }
  }
  await database.collection(REVIEWS).createIndex({ product: 1, stars: -1 });
  await database.collection('products').createIndex({ name: 1 }, { unique: true });
}

function documentOf(collection: string, n: number): Document {
  if (collection === 'products')
    return { name: `product ${n}`, tags: ['new', `shelf ${n % 40}`], price: { eur: n / 4 } };
  if (collection === 'gift cards') return { code: `東京-${n}`, left: n * 5, used: [new Date(n * 1e9)] };
  return {
    product: n % DOCUMENTS.products,
    stars: 1 + (n % 5),
    by: `Ada ${n}`,
    text: 'liked it very much '.repeat(1 + (n % 4)),
  };
}

async function backUp({ terminal, api }: Stage, mongo: DemoMongo): Promise<BackupView> {
  const { host, port, username, password } = mongo;
  await api.post('/databases', {
    name: REVIEWS,
    engine: 'mongodb',
    host,
    port,
    database_name: REVIEWS,
    username,
    password,
    options: { hash_content: true },
  });
  const { tool } = await api.post<ProbeView>(`/databases/${REVIEWS}/test`);
  const dumper = tool.name === 'builtin' ? 'the source that is built in' : `${tool.name} ${tool.version}`;
  terminal.done(`registered as "${REVIEWS}"; ${dumper} would dump it`);
  const [backup, took] = await timed(async () => {
    const { id } = await api.post<BackupView>('/backups', { database_id: REVIEWS });
    return api.follow<BackupView>(`/backups/${id}`, ({ progress }) => {
      if (progress === undefined) return;
      terminal.progress(progress.phase, undefined, bytes(progress.bytes).padStart(9));
    });
  });
  terminal.done(`completed: ${backup.filename}`, took);
  return backup;
}

async function restoreAndCompare(
  { terminal, api }: Stage,
  mongo: DemoMongo,
  backup: BackupView,
): Promise<void> {
  const [restore, took] = await timed(async () => {
    const { id } = await api.post<RestoreView>(`/backups/${backup.id}/restore`, {});
    return api.follow<RestoreView>(`/restores/${id}`, ({ progress }) => {
      if (progress !== undefined)
        terminal.progress(progress.phase, undefined, bytes(progress.bytes).padStart(9));
    });
  });
  terminal.done(`restored beside it: ${restore.target.database_name}`, took);
  const { content } = await api.get<Manifest>(`/backups/${backup.id}/manifest`);
  const restored = mongo.client.db(restore.target.database_name);
  const rows: string[][] = [];
  for (const { name, rows: expected } of content.items) {
    const found = await restored.collection(name).countDocuments();
    if (found !== expected)
      throw new TourFailedError(`${name} was restored with ${found} of ${expected} documents`);
    rows.push([name, count(expected), count(found), '✓']);
  }
  terminal.table(COLUMNS, rows);
  const { evidence } = await api.get<BackupView>(`/backups/${backup.id}`);
  if (evidence?.name !== 'proven') throw new TourFailedError(`the evidence is ${evidence?.name}, not proven`);
  terminal.done(
    `evidence: ${terminal.paint('bold', 'proven')}, hashes of all documents and definitions equal`,
  );
  terminal.note(
    `A recovery takes ${seconds(evidence.restore_seconds ?? 0)}; mongorestore reads the same archive.`,
  );
}
