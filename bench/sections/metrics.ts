import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { Service } from '../../test/support/service.ts';
import type { Bench } from '../harness/bench.ts';
import { goal, median, milliseconds } from '../harness/figures.ts';
import { fillBackups } from '../harness/sample-catalog.ts';
import type { Section, Table } from '../harness/section.ts';

const DATABASES = 500;
const BACKUPS = 100_000;
const SCRAPES = 20;
const LIMIT_MS = 30;

/** A scrape of many databases with a long history. */
export const metrics: Section = {
  name: 'metrics',
  about: `a scrape of ${DATABASES} databases with ${BACKUPS} backups`,
  async run(bench: Bench): Promise<Table[]> {
    const folder = await bench.folder('metrics');
    const before = await bench.service(folder);
    const ids = await registerMany(before);
    await before.stop();
    const catalog = join(folder, 'data', 'backup.db');
    fillBackups(catalog, BACKUPS, ids[0] ?? '');
    spread(catalog, ids);
    const service = await bench.service(folder);
    const taken: number[] = [];
    let lines = 0;
    // The first ones warm the caches.
    for (let scrape = -3; scrape < SCRAPES; scrape += 1) {
      const began = performance.now();
      const { text } = await service.request('GET', '/metrics');
      if (scrape >= 0) taken.push(performance.now() - began);
      lines = text.split('\n').length;
    }
    await service.stop();
    const p50 = median(taken);
    return [
      {
        title: `GET /metrics with ${DATABASES} databases and ${BACKUPS.toLocaleString('en-US')} backups`,
        columns: ['', 'p50', 'worst', 'lines', 'goal'],
        rows: [
          [
            'one scrape',
            milliseconds(p50),
            milliseconds(Math.max(...taken)),
            String(lines),
            goal(`p50 ≤ ${LIMIT_MS} ms`, p50 <= LIMIT_MS),
          ],
        ],
        notes: ['With a row written to the catalog, and flushed, to see whether it can be.'],
      },
    ];
  },
};

/** Nothing is connected to by a registration. */
async function registerMany(service: Service): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < DATABASES; number += 1) {
    const database = { name: `database-${number}`, engine: 'postgres', host: 'db', database_name: 'app' };
    const answer = await service.request<{ id: string }>('POST', '/databases', database);
    if (answer.status !== 201) throw new Error(answer.text);
    ids.push(answer.body.id);
  }
  return ids;
}

/** Gives each database its share of the backups, and its totals. */
function spread(catalog: string, ids: readonly string[]): void {
  using database = new DatabaseSync(catalog);
  database.exec('CREATE TEMP TABLE those (n INTEGER PRIMARY KEY, id TEXT)');
  const insert = database.prepare('INSERT INTO those VALUES (?, ?)');
  ids.forEach((id, index) => insert.run(index, id));
  database.exec(`
    UPDATE backups SET database_id = (SELECT t.id FROM those t WHERE t.n = backups.rowid % ${ids.length});
    INSERT INTO event_totals (event_name, database_id, count, duration_ms, duration_buckets)
      SELECT e.name, t.id, 1000 + t.n, 60000, '[1,2,3,4,5,6,7,8,9,10,11,12,13,14]'
        FROM those t, (SELECT 'BackupCompleted' AS name UNION SELECT 'BackupFailed' UNION SELECT 'BackupStarted'
          UNION SELECT 'BackupQueued' UNION SELECT 'BackupExpired' UNION SELECT 'BackupRetired'
          UNION SELECT 'ScheduleRunMissed' UNION SELECT 'RestoreCompleted') e;`);
}
