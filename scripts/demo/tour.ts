import { join } from 'node:path';

import type { Manifest } from '../../src/archive/manifest.ts';
import type { BackupView } from '../../src/backups/backup.view.ts';
import type { DatabaseView } from '../../src/databases/dto/database.view.ts';
import type { ProbeView } from '../../src/databases/dto/probe.view.ts';
import type { RestoreView } from '../../src/restore/restore.view.ts';
import {
  COMPARISON_COLUMNS,
  comparisonRows,
  CONTENT_COLUMNS,
  contentRows,
  differences,
} from './comparison.ts';
import { bytes, count, counted, rate, ratio, seconds, singular } from './figures.ts';
import { countTables, createDatabase, keepSelling, SHOP, SOLD_DURING_THE_TOUR } from './sample-shop.ts';
import type { Stage } from './stage.ts';
import { showMongo } from './mongo-chapter.ts';
import { standardRestore } from './standard-tools.ts';
import { timed } from './timed.ts';
import { TourFailedError } from './tour-failed.ts';

/** From the registration to the restore without Backstop, and then MongoDB; gives the first backup, now proven. */
export async function takeTour(stage: Stage): Promise<BackupView> {
  const database = await register(stage);
  const [backup, manifest] = await backUp(stage, database);
  lookInside(stage, manifest);
  const restored = await restoreBeside(stage, backup);
  await compare(stage, backup, manifest, restored);
  await goWithoutBackstop(stage, backup, manifest);
  await showMongo(stage);
  return stage.api.get<BackupView>(`/backups/${backup.id}`);
}

async function register({ terminal, api, server }: Stage): Promise<DatabaseView> {
  terminal.step('Register the database');
  const [database, registering] = await timed(() =>
    api.post<DatabaseView>('/databases', {
      name: SHOP,
      engine: 'postgres',
      host: server.host,
      port: server.port,
      database_name: SHOP,
      username: server.username,
      password: server.password,
      options: { hash_content: true },
    }),
  );
  terminal.done(`"${database.name}" is registered, its password sealed and never shown again`, registering);
  const [probe, probing] = await timed(() => api.post<ProbeView>(`/databases/${database.id}/test`));
  terminal.done(
    `PostgreSQL ${probe.server_version} answers; ${probe.tool.name} ${probe.tool.version} would dump it`,
    probing,
  );
  return database;
}

async function backUp(
  { terminal, api, server, signal }: Stage,
  database: DatabaseView,
): Promise<[BackupView, Manifest]> {
  terminal.step('Back it up, while the shop keeps selling');
  const closing = new AbortController();
  const selling = keepSelling(server, AbortSignal.any([signal, closing.signal]));
  let sold = 0;
  const [backup, took] = await timed(async () => {
    try {
      const { id } = await api.post<BackupView>('/backups', {
        database_id: database.id,
        description: 'the first backup',
      });
      return await api.follow<BackupView>(`/backups/${id}`, ({ progress }) => {
        if (progress === undefined) return;
        const tables = `${progress.items_done}/${progress.items_total ?? '?'} tables`;
        const share = progress.percent === undefined ? undefined : progress.percent / 100;
        terminal.progress(progress.phase, share, `${bytes(progress.bytes).padStart(9)}  ${tables}`);
      });
    } finally {
      closing.abort();
      sold = await selling;
    }
  });
  terminal.done(`completed: ${backup.filename}`, took);
  const [plain, stored] = [backup.plain_bytes ?? 0, backup.size_bytes ?? 0];
  terminal.figures([
    ['plain', bytes(plain)],
    ['stored', bytes(stored)],
    ['ratio', ratio(plain, stored)],
    ['time', seconds(backup.duration_seconds ?? 0)],
    ['speed', rate(plain, backup.duration_seconds ?? 0)],
    ['evidence', backup.evidence?.name ?? '–'],
  ]);
  const manifest = await api.get<Manifest>(`/backups/${backup.id}/manifest`);
  const caught = manifest.content.items.find(({ name }) => name === SOLD_DURING_THE_TOUR)?.rows ?? 0;
  terminal.note(
    `${counted(sold, 'order')} came in meanwhile; the backup is of one exact moment, after ${count(caught)} of them.`,
  );
  return [backup, manifest];
}

function lookInside({ terminal }: Stage, manifest: Manifest): void {
  terminal.step('Look inside');
  terminal.table(CONTENT_COLUMNS, contentRows(manifest));
  const { items, counters, schema } = manifest.content;
  const rows = items.reduce((sum, item) => sum + item.rows, 0);
  const others = Object.entries({ ...schema.objects, ...counters })
    // Contents and positions are sums to compare by, not numbers of anything.
    .filter(([kind, number]) => number > 0 && kind !== 'tables' && !/_(content|positions)$/.test(kind))
    .map(([kind, number]) => counted(number, singular(kind.replaceAll('_', ' '))));
  terminal.done(`${counted(items.length, 'table')}, ${counted(rows, 'row')}`);
  terminal.enumeration(others);
}

async function restoreBeside({ terminal, api }: Stage, backup: BackupView): Promise<RestoreView> {
  terminal.step('Restore it into a new database, beside the old one');
  const [restore, took] = await timed(async () => {
    const { id } = await api.post<RestoreView>(`/backups/${backup.id}/restore`, {});
    return api.follow<RestoreView>(`/restores/${id}`, ({ progress }) => {
      if (progress === undefined) return;
      const share = progress.percent === undefined ? undefined : progress.percent / 100;
      terminal.progress(progress.phase, share, bytes(progress.bytes).padStart(9));
    });
  });
  terminal.done(`completed: ${restore.target.database_name}`, took);
  return restore;
}

async function compare(
  { terminal, api, server, signal }: Stage,
  backup: BackupView,
  manifest: Manifest,
  restore: RestoreView,
): Promise<void> {
  terminal.step('Compare what came back with what was there');
  const [found, counting] = await timed(() => countTables(server, restore.target.database_name, signal));
  terminal.table(COMPARISON_COLUMNS, comparisonRows(manifest, found));
  const wrong = differences(manifest, found);
  if (wrong.length > 0) {
    const list = wrong.map(
      (each) => `${each.table}: ${each.expected ?? 'absent'} → ${each.found ?? 'absent'}`,
    );
    throw new TourFailedError(`the restored database differs from the backup\n${list.join('\n')}`);
  }
  terminal.done(
    `${counted(found.size, 'table')} counted by our own SELECTs: each as in the backup`,
    counting,
  );
  if (!restore.result?.compared.schema) throw new TourFailedError('the definitions were not compared');
  terminal.done(`schema equal: ${manifest.content.schema.digest.slice(0, 32)}…`);
  if (restore.result.compared.hashes > 0) {
    terminal.done(
      `content equal: the hashes of all rows of ${counted(restore.result.compared.hashes, 'table')}`,
    );
  }
  const { evidence } = await api.get<BackupView>(`/backups/${backup.id}`);
  if (evidence?.name !== 'proven') throw new TourFailedError(`the evidence is ${evidence?.name}, not proven`);
  terminal.done(`evidence: ${terminal.paint('bold', 'proven')}`);
  terminal.note(
    `A real recovery of this database takes ${seconds(evidence.restore_seconds ?? 0)}: measured, not estimated.`,
  );
}

async function goWithoutBackstop(stage: Stage, backup: BackupView, manifest: Manifest): Promise<void> {
  const { terminal, api, server, folder, signal } = stage;
  terminal.step('Restore it without Backstop');
  const archive = join(folder, backup.filename ?? 'archive');
  const [received, took] = await timed(() => api.download(`/backups/${backup.id}/download`, archive));
  if (received.sha256 !== backup.sha256)
    throw new TourFailedError('the downloaded archive has another SHA-256');
  terminal.done(`downloaded ${bytes(received.sizeBytes)}, SHA-256 as recorded`, took);
  const name = `${SHOP}_by_hand`;
  const restore = await standardRestore(server, archive, name);
  for (const command of restore.commands) terminal.line(`       ${terminal.paint('cyan', `$ ${command}`)}`);
  if (restore.missing.length > 0) {
    terminal.note(`Not carried out here: ${restore.missing.join(' and ')} is not installed.`);
    return;
  }
  await createDatabase(server, name, signal);
  const [, restoring] = await timed(() => restore.run(signal));
  const wrong = differences(manifest, await countTables(server, name, signal));
  if (wrong.length > 0)
    throw new TourFailedError(`restored by hand, ${wrong[0]?.table} differs from the backup`);
  terminal.done('carried out just now: every table again has exactly its rows', restoring);
}
