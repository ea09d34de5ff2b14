import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { Backup } from './backup.entity.js';
import type { BackupStatsView, BackupSummaryView, DayStatsView } from './stats.view.js';

/** Ends that say something about how well backups work; a cancelled one was somebody's wish, also when it is deleted. */
const JUDGED =
  "(b.status IN ('completed', 'failed') OR " +
  "(b.status IN ('expiring', 'expired') AND COALESCE(b.error_code, '') <> 'backup-cancelled'))";
/** Deleted backups were good once; they still count as successes, unless they failed. */
const GOOD = "(b.status IN ('completed') OR (b.status IN ('expiring', 'expired') AND b.error_code IS NULL))";

/**
 * Not the bare column: SQLite would go through all rows in the order of its index, one jump for each, which takes twice as long as
 * reading and sorting them.
 */
const BY_DATABASE = "b.database_name || ''";

/** The fields of the view without its class, to be spread. */
type Totals = { [Field in keyof BackupSummaryView]: BackupSummaryView[Field] };

interface TotalsRow {
  total: string;
  completed: string | null;
  failed: string | null;
  running: string | null;
  queued: string | null;
  good: string | null;
  judged: string | null;
  bytes: string | null;
  oldest: string | null;
  newest: string | null;
}

/** Counts over all backups, by the catalog's own aggregates: nothing here grows with their number. */
@Injectable()
export class BackupStats {
  constructor(private readonly catalog: Catalog) {}

  async summary(): Promise<BackupSummaryView> {
    const [row] = await this.#totals();
    return toSummary(row);
  }

  async all(since: Date): Promise<BackupStatsView> {
    const [databases, days] = await Promise.all([this.#totals(BY_DATABASE, 'name'), this.#days(since)]);
    return {
      ...toSummary(sumOf(databases)),
      per_database: databases.map((row) => ({ database_name: row.name, ...toSummary(row) })),
      per_day: days,
    };
  }

  async #totals(): Promise<(TotalsRow & { name: string })[]>;
  async #totals(group: string, as: string): Promise<(TotalsRow & { name: string })[]>;
  async #totals(group?: string, as?: string): Promise<(TotalsRow & { name: string })[]> {
    const query = this.catalog.read
      .createQueryBuilder(Backup, 'b')
      .select('COUNT(*)', 'total')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN 1 ELSE 0 END)", 'completed')
      .addSelect("SUM(CASE WHEN b.status = 'failed' THEN 1 ELSE 0 END)", 'failed')
      .addSelect("SUM(CASE WHEN b.status = 'running' THEN 1 ELSE 0 END)", 'running')
      .addSelect("SUM(CASE WHEN b.status = 'queued' THEN 1 ELSE 0 END)", 'queued')
      .addSelect(`SUM(CASE WHEN ${GOOD} THEN 1 ELSE 0 END)`, 'good')
      .addSelect(`SUM(CASE WHEN ${JUDGED} THEN 1 ELSE 0 END)`, 'judged')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN b.size_bytes ELSE 0 END)", 'bytes')
      .addSelect("MIN(CASE WHEN b.status = 'completed' THEN b.completed_at END)", 'oldest')
      .addSelect("MAX(CASE WHEN b.status = 'completed' THEN b.completed_at END)", 'newest');
    if (group !== undefined && as !== undefined) query.addSelect(group, as).groupBy(group).orderBy(group);
    return query.getRawMany();
  }

  async #days(since: Date): Promise<DayStatsView[]> {
    // Times are ISO text in UTC on every dialect, so the day is their beginning.
    const rows = await this.catalog.read
      .createQueryBuilder(Backup, 'b')
      .select('SUBSTR(b.created_at, 1, 10)', 'day')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN 1 ELSE 0 END)", 'completed')
      .addSelect("SUM(CASE WHEN b.status = 'failed' THEN 1 ELSE 0 END)", 'failed')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN b.size_bytes ELSE 0 END)", 'bytes')
      .where('b.created_at >= :since', { since: since.toISOString() })
      .groupBy('SUBSTR(b.created_at, 1, 10)')
      .orderBy('SUBSTR(b.created_at, 1, 10)')
      .getRawMany<{ day: string; completed: string; failed: string; bytes: string | null }>();
    return rows.map((row) => ({
      day: row.day,
      completed: Number(row.completed),
      failed: Number(row.failed),
      size_bytes: Number(row.bytes ?? 0),
    }));
  }
}

/** The totals of all databases from those of each, so that the rows are read once. */
function sumOf(rows: readonly TotalsRow[]): TotalsRow {
  const sum = (field: Exclude<keyof TotalsRow, 'oldest' | 'newest'>): string =>
    String(rows.reduce((total, row) => total + Number(row[field] ?? 0), 0));
  // ISO text in UTC sorts as time does.
  const times = (field: 'oldest' | 'newest'): string[] => rows.flatMap((row) => row[field] ?? []).sort();
  return {
    total: sum('total'),
    completed: sum('completed'),
    failed: sum('failed'),
    running: sum('running'),
    queued: sum('queued'),
    good: sum('good'),
    judged: sum('judged'),
    bytes: sum('bytes'),
    oldest: times('oldest')[0] ?? null,
    newest: times('newest').at(-1) ?? null,
  };
}

function toSummary(row: TotalsRow | undefined): Totals {
  const judged = Number(row?.judged ?? 0);
  return {
    total: Number(row?.total ?? 0),
    completed: Number(row?.completed ?? 0),
    failed: Number(row?.failed ?? 0),
    running: Number(row?.running ?? 0),
    queued: Number(row?.queued ?? 0),
    success_rate: judged === 0 ? null : Number(row?.good ?? 0) / judged,
    total_size_bytes: Number(row?.bytes ?? 0),
    oldest_at: row?.oldest ?? null,
    newest_at: row?.newest ?? null,
  };
}
