import { type BeforeApplicationShutdown, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { type EntityManager, In } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { Catalog } from '../catalog/catalog.js';
import { holdDatabase } from '../databases/database-rows.js';
import { Database } from '../databases/database.entity.js';
import { DatabaseNotFoundError } from '../databases/databases.errors.js';
import { type Lease, Queue } from '../queue/queue.js';
import { BackupRetirement } from './backup-retirement.js';
import { ClockWatch } from './clock-watch.js';
import { type Plan, RetentionPlans, type Trial } from './retention-plans.js';

/** So many backups are marked in one transaction; the catalog is not held for longer. */
const BATCH = 100;
/** So many rows of one reason are updated by one statement. */
const ROWS = 500;

/** What a sweep of one database came to. */
export interface Sweep {
  plan: Plan;
  marked: string[];
}

/** Carries out what the planner says: after each backup, every hour, and when somebody asks. */
@Injectable()
export class RetentionSweeper implements OnModuleInit, BeforeApplicationShutdown {
  readonly #log = new Logger('Retention');
  #sweepingAll: Promise<void> | undefined;
  #stopping = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly plans: RetentionPlans,
    private readonly retirement: BackupRetirement,
    private readonly watch: ClockWatch,
  ) {}

  onModuleInit(): void {
    this.queue.work('retention', (lease) => this.#run(lease));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    await this.#sweepingAll;
  }

  /** Every hour; a sweep that takes longer is not overtaken by the next. Never rejects. */
  @Cron(CronExpression.EVERY_HOUR)
  async sweepAll(): Promise<void> {
    if (this.#sweepingAll !== undefined || this.#stopping) return;
    this.#sweepingAll = this.#sweepAll();
    await this.#sweepingAll;
    this.#sweepingAll = undefined;
  }

  /**
   * Marks everything for removal that the policy of this database lets go, and writes down why the others stay. What is marked is
   * removed by the work loop, also after a crash.
   * @returns the plan, and the ids of the marked backups; undefined when somebody has removed the database
   */
  async sweep(databaseId: string, trial: Trial = {}): Promise<Sweep | undefined> {
    const database = await this.catalog.read.findOneBy(Database, { id: databaseId });
    if (database === null) return undefined;
    const plan = await this.plans.of(this.catalog.read, database, trial);
    const marked: string[] = [];
    // What is read outside of a transaction only says whether it is worth holding the database.
    let isMore = plan.decisions.some(({ keep }) => !keep);
    while (isMore && !this.#stopping) {
      const batch = await this.#markBatch(databaseId, trial);
      marked.push(...batch);
      isMore = batch.length === BATCH;
    }
    await this.#writeReasons(plan);
    return { plan, marked };
  }

  /** One claim of one database, after a backup of it. */
  async #run(lease: Lease): Promise<void> {
    if (this.watch.isSteady()) await this.sweep(lease.subjectId);
    await this.catalog.write((tx) => this.queue.finish(tx, lease));
  }

  async #sweepAll(): Promise<void> {
    try {
      if (!this.watch.isSteady()) return;
      const databases = await this.catalog.read.find(Database, { select: { id: true } });
      for (const { id } of databases) if (!this.#stopping) await this.#sweepOne(id);
    } catch (error) {
      this.#log.error({ err: error }, 'retention could not look at the databases; trying again in an hour');
    }
  }

  async #sweepOne(databaseId: string): Promise<void> {
    try {
      await this.sweep(databaseId);
    } catch (error) {
      this.#log.error(
        { err: error, databaseId },
        'retention could not sweep a database; trying again in an hour',
      );
    }
  }

  /** The plan is made anew while the database is held: no other deletion can take what a floor of this one stands on. */
  async #markBatch(databaseId: string, trial: Trial): Promise<string[]> {
    return this.catalog.write(async (tx) => {
      const database = await holdIfThere(tx, databaseId);
      if (database === undefined) return [];
      const { decisions } = await this.plans.of(tx, database, trial);
      const marked: string[] = [];
      for (const { id, keep, reasons } of decisions.toReversed()) {
        if (marked.length === BATCH) break;
        if (!keep && (await this.retirement.retire(tx, database, id, reasons))) marked.push(id);
      }
      return marked;
    });
  }

  /** Rows are touched only where a reason has changed. */
  async #writeReasons({ history, decisions }: Plan): Promise<void> {
    const before = new Map(history.map(({ id, keepReasons }) => [id, keepReasons]));
    const changed = decisions.filter(
      ({ id, keep, reasons }) => keep && before.get(id) !== JSON.stringify(reasons),
    );
    for (const group of Map.groupBy(changed, ({ reasons }) => JSON.stringify(reasons)).values()) {
      const keepReasons = group[0]?.reasons ?? [];
      for (let from = 0; from < group.length; from += ROWS) {
        const ids = group.slice(from, from + ROWS).map(({ id }) => id);
        await this.catalog.write((tx) => tx.update(Backup, { id: In(ids) }, { keepReasons }));
      }
    }
  }
}

/** Undefined when somebody has removed it meanwhile. */
async function holdIfThere(tx: EntityManager, databaseId: string): Promise<Database | undefined> {
  try {
    return await holdDatabase(tx, databaseId);
  } catch (error) {
    if (error instanceof DatabaseNotFoundError) return undefined;
    throw error;
  }
}
