import { Injectable } from '@nestjs/common';
import { In, Not } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { requireDatabase } from '../databases/database-rows.js';
import { Database } from '../databases/database.entity.js';
import { mergeRetention, type RetentionChanges } from '../databases/retention-policy.js';
import { type Plan, RetentionPlans, type Trial } from './retention-plans.js';
import { type ExpectedBackup, simulateRetention, type SimulatedDay } from './retention-simulation.js';
import { RetentionSweeper } from './retention-sweeper.js';

/** How long a cleanup waits for what it has marked, and how often it looks. */
const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;
const DAY_MS = 86_400_000;
/** More than this is not played through while somebody waits for it. */
const MOST_PLAYED = 1_000_000;
const MOST_RUNS = 10_000;

export interface CleanupRequest {
  /** Id or name; all when left out. */
  database?: string | undefined;
  dryRun: boolean;
  retentionDays?: number | undefined;
}

/** What came of it. `deleted` is gone, or would be. */
export interface CleanupResult {
  at: Date;
  retentionDays: number | null;
  deleted: { filename: string | null; sizeBytes: number }[];
  pending: number;
  kept: number;
}

export interface Preview {
  database: Database;
  plan: Plan;
  simulation: SimulatedDay[];
}

/** What people may ask of retention. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly plans: RetentionPlans,
    private readonly sweeper: RetentionSweeper,
  ) {}

  /**
   * @param changes a policy to try in place of the database's own
   * @throws DatabaseNotFoundError, RetentionInvalidError
   */
  async preview(idOrName: string, days: number, changes?: RetentionChanges): Promise<Preview> {
    const database = await requireDatabase(this.catalog.read, idOrName);
    const trial: Trial = changes === undefined ? {} : { settings: mergeRetention({}, changes) };
    const plan = await this.plans.of(this.catalog.read, database, trial);
    return { database, plan, simulation: this.#simulate(plan, days) };
  }

  /**
   * Sweeps now, and waits a little for the end of the removals. Counts as deleted only what is gone.
   * @throws DatabaseNotFoundError, RetentionInvalidError
   */
  async cleanup(request: CleanupRequest): Promise<CleanupResult> {
    const { database, dryRun, retentionDays } = request;
    if (retentionDays !== undefined) mergeRetention({}, { retentionDays });
    const { read } = this.catalog;
    const databases =
      database === undefined ? await read.find(Database) : [await requireDatabase(read, database)];
    const result: CleanupResult = {
      at: this.clock.now(),
      retentionDays: retentionDays ?? this.config.backupRetentionDays,
      deleted: [],
      pending: 0,
      kept: 0,
    };
    const marked: string[] = [];
    for (const each of databases) {
      const sweep = dryRun
        ? { plan: await this.plans.of(read, each, { retentionDays }), marked: [] }
        : await this.sweeper.sweep(each.id, { retentionDays });
      if (sweep === undefined) continue;
      const { plan } = sweep;
      if (database !== undefined) result.retentionDays = plan.rules.policy.retentionDays;
      result.kept += plan.decisions.filter(({ keep }) => keep).length;
      if (dryRun) result.deleted.push(...wouldGo(plan));
      marked.push(...sweep.marked);
    }
    if (!dryRun) await this.#untilGone(marked, result);
    return result;
  }

  #simulate({ known, history, rules, now }: Plan, days: number): SimulatedDay[] {
    const until = now.getTime() + days * DAY_MS;
    const expected: ExpectedBackup[] = known.schedules
      .flatMap((schedule) =>
        schedule.runsBetween(now.getTime(), until, MOST_RUNS).map((at) => ({ at, scheduleId: schedule.id })),
      )
      .toSorted((a, b) => a.at - b.at);
    if ((history.length + expected.length) * days > MOST_PLAYED) return [];
    return simulateRetention(rules, history, expected, now, days);
  }

  async #untilGone(ids: readonly string[], result: CleanupResult): Promise<void> {
    const untilMs = this.clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const left = await this.#rowsOf(ids, false);
      if (left.length === 0 || this.clock.monotonicMs() >= untilMs) {
        result.pending = left.length;
        break;
      }
      await this.clock.sleep(LOOK_EVERY_MS);
    }
    const gone = await this.#rowsOf(ids, true);
    result.deleted = gone.map(({ filename, sizeBytes }) => ({ filename, sizeBytes: sizeBytes ?? 0 }));
  }

  async #rowsOf(ids: readonly string[], gone: boolean): Promise<Backup[]> {
    const rows: Backup[] = [];
    for (let from = 0; from < ids.length; from += 500) {
      const id = In(ids.slice(from, from + 500));
      const status = gone ? ('expired' as const) : Not<'expired'>('expired');
      rows.push(...(await this.catalog.read.findBy(Backup, { id, status })));
    }
    return rows;
  }
}

function wouldGo({ decisions, history }: Plan): CleanupResult['deleted'] {
  const going = new Set(decisions.filter(({ keep }) => !keep).map(({ id }) => id));
  return history.filter(({ id }) => going.has(id));
}
