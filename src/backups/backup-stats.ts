import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { KeptReads } from '../catalog/kept-reads.js';
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

type DatabaseTotals = TotalsRow & { name: string };

/**
 * Counts over all backups, by the catalog's own aggregates: no memory here grows with their number. Time does, so that the totals are
 * kept until the catalog changes.
 */
@Injectable()
export class BackupStats {
  readonly #totals: KeptReads<DatabaseTotals[]>;
  readonly #days: KeptReads<DayStatsView[]>;

  constructor(private readonly catalog: Catalog) {
    this.#totals = new KeptReads(catalog);
    this.#days = new KeptReads(catalog);
  }

  /** What is there, at work and waiting at one moment; counted in an index. */
  async present(): Promise<Pick<BackupSummaryView, 'completed' | 'running' | 'queued'>> {
    const rows = await this.catalog.read
      .createQueryBuilder(Backup, 'b')
      .select(['b.status AS status', 'COUNT(*) AS count'])
      .where("b.status IN ('completed', 'running', 'queued')")
      .groupBy('b.status')
      .getRawMany<{ status: string; count: string }>();
    const countOf = (status: string): number => Number(rows.find((row) => row.status === status)?.count ?? 0);
    return { completed: countOf('completed'), running: countOf('running'), queued: countOf('queued') };
  }

  async summary(): Promise<BackupSummaryView> {
    return toSummary(sumOf(await this.#totalsOfEach()));
  }

  /** @param firstDay the first one of `per_day`, such as `2026-11-21` in UTC */
  async all(firstDay: string): Promise<BackupStatsView> {
    const [databases, days] = await Promise.all([
      this.#totalsOfEach(),
      this.#days.of(firstDay, () => this.#readDays(firstDay)),
    ]);
    return {
      ...toSummary(sumOf(databases)),
      per_database: databases.map((row) => ({ database_name: row.name, ...toSummary(row) })),
      per_day: days,
    };
  }

  async #totalsOfEach(): Promise<DatabaseTotals[]> {
    return this.#totals.of('', () => this.#readTotals());
  }

  async #readTotals(): Promise<DatabaseTotals[]> {
    return this.catalog.read
      .createQueryBuilder(Backup, 'b')
      .select(BY_DATABASE, 'name')
      .addSelect('COUNT(*)', 'total')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN 1 ELSE 0 END)", 'completed')
      .addSelect("SUM(CASE WHEN b.status = 'failed' THEN 1 ELSE 0 END)", 'failed')
      .addSelect("SUM(CASE WHEN b.status = 'running' THEN 1 ELSE 0 END)", 'running')
      .addSelect("SUM(CASE WHEN b.status = 'queued' THEN 1 ELSE 0 END)", 'queued')
      .addSelect(`SUM(CASE WHEN ${GOOD} THEN 1 ELSE 0 END)`, 'good')
      .addSelect(`SUM(CASE WHEN ${JUDGED} THEN 1 ELSE 0 END)`, 'judged')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN b.size_bytes ELSE 0 END)", 'bytes')
      .addSelect("MIN(CASE WHEN b.status = 'completed' THEN b.completed_at END)", 'oldest')
      .addSelect("MAX(CASE WHEN b.status = 'completed' THEN b.completed_at END)", 'newest')
      .groupBy(BY_DATABASE)
      .orderBy(BY_DATABASE)
      .getRawMany();
  }

  async #readDays(firstDay: string): Promise<DayStatsView[]> {
    // Times are ISO text in UTC on every dialect, so the day is their beginning.
    const rows = await this.catalog.read
      .createQueryBuilder(Backup, 'b')
      .select('SUBSTR(b.created_at, 1, 10)', 'day')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN 1 ELSE 0 END)", 'completed')
      .addSelect("SUM(CASE WHEN b.status = 'failed' THEN 1 ELSE 0 END)", 'failed')
      .addSelect("SUM(CASE WHEN b.status = 'completed' THEN b.size_bytes ELSE 0 END)", 'bytes')
      .where('b.created_at >= :firstDay', { firstDay })
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

function toSummary(row: TotalsRow): Totals {
  const judged = Number(row.judged ?? 0);
  return {
    total: Number(row.total ?? 0),
    completed: Number(row.completed ?? 0),
    failed: Number(row.failed ?? 0),
    running: Number(row.running ?? 0),
    queued: Number(row.queued ?? 0),
    success_rate: judged === 0 ? null : Number(row.good ?? 0) / judged,
    total_size_bytes: Number(row.bytes ?? 0),
    oldest_at: row.oldest ?? null,
    newest_at: row.newest ?? null,
  };
}
