import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { type DatabaseDependent, DatabaseDependents } from '../databases/database-dependents.js';
import { Database } from '../databases/database.entity.js';
import { type DefaultScheduleEdits, DefaultSchedules } from '../databases/default-schedules.js';
import { DEFAULT_SCHEDULE, Schedule } from './schedule.entity.js';
import { type Renewal, ScheduleEditor } from './schedule-editor.js';
import { changesSchedule } from './schedule-edits.js';
import {
  defaultScheduleOf,
  defaultSchedulesOf,
  insertSchedule,
  removeSchedule,
  updateSchedule,
} from './schedule-rows.js';
import { ScheduleTimings } from './schedule-timings.js';

/** What a database's own fields call the cron expression. */
const CRON_FIELD = 'schedule';
/** So many schedules are renewed in one transaction; the catalog is not held for longer. */
const BATCH = 200;
/** How often those are read again that somebody has moved on meanwhile. */
const ROUNDS = 5;

/**
 * Keeps the schedule called `default` of each database: what the database's own fields say, and, for a database that has no schedule
 * at all, one that follows BACKUP_SCHEDULE or BACKUP_INTERVAL_HOURS.
 */
@Injectable()
export class DefaultScheduleKeeper implements DatabaseDependent, OnModuleInit, OnApplicationBootstrap {
  readonly #log = new Logger('Scheduler');

  constructor(
    private readonly catalog: Catalog,
    private readonly timings: ScheduleTimings,
    private readonly editor: ScheduleEditor,
    private readonly dependents: DatabaseDependents,
    private readonly defaults: DefaultSchedules,
  ) {}

  onModuleInit(): void {
    this.dependents.add(this);
    this.defaults.setReader(defaultSchedulesOf);
  }

  /**
   * The service's own schedule or zone may be another than at the last start. A service whose schedules are off leaves those of its
   * catalog alone: it may be a mere worker beside one whose are on.
   */
  async onApplicationBootstrap(): Promise<void> {
    await this.catalog.write(async (tx) => {
      for (const { id } of await withoutSchedule(tx)) await this.follow(tx, id);
    });
    if (!this.timings.isOn) return;
    const unreadable = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const outdated = (await this.catalog.read.find(Schedule)).filter(
        (schedule) => this.editor.isOutdated(schedule) && !unreadable.has(schedule.id),
      );
      if (outdated.length === 0) return;
      const renewals = outdated.flatMap((schedule) => this.#plan(schedule) ?? []);
      const planned = new Set(renewals.map(({ before }) => before.id));
      for (const { id } of outdated) if (!planned.has(id)) unreadable.add(id);
      for (let from = 0; from < renewals.length; from += BATCH) {
        await this.#renew(renewals.slice(from, from + BATCH));
      }
    }
  }

  async onSave(tx: EntityManager, database: Database, edits: DefaultScheduleEdits): Promise<boolean> {
    const found = await defaultScheduleOf(tx, database.id);
    if (Object.values(edits).every((edit) => edit === undefined)) {
      return found === null && this.follow(tx, database.id);
    }
    const schedule = found ?? this.editor.blank(database.id, DEFAULT_SCHEDULE);
    if (this.#isTakenAway(schedule, edits)) return this.#takeAway(tx, database, found, edits);
    if (found !== null && !changesSchedule(found, edits)) return false;
    await this.editor.edit(tx, schedule, database, edits, CRON_FIELD);
    await (found === null ? insertSchedule(tx, schedule, database) : updateSchedule(tx, schedule, database));
    return true;
  }

  /** The row goes by the foreign key. */
  async onRemove(): Promise<void> {
    // Nothing more belongs to it.
  }

  async activeWork(): Promise<[]> {
    return Promise.resolve([]);
  }

  /** A database without any schedule follows the service's own, if there is one. Gives whether it does so from now on. */
  async follow(tx: EntityManager, databaseId: string): Promise<boolean> {
    if (!this.timings.hasDefault || (await tx.existsBy(Schedule, { databaseId }))) return false;
    await tx.insert(Schedule, this.editor.blank(databaseId, DEFAULT_SCHEDULE));
    return true;
  }

  /** Whether it follows the service's own schedule, which would come back if it went. */
  isServicesOwn(schedule: Schedule): boolean {
    return this.timings.hasDefault && this.timings.followsDefault(schedule);
  }

  /** `null` for all that it says of its time, and nothing in its place. */
  #isTakenAway(schedule: Schedule, edits: DefaultScheduleEdits): boolean {
    const { cron = schedule.cron, intervalHours = schedule.intervalHours } = edits;
    const removes = edits.cron === null || edits.intervalHours === null;
    return removes && cron === null && intervalHours === null && edits.enabled !== false;
  }

  /** What follows the service's own schedule already stays the row that it is: at each start a file may say `schedule: null`. */
  async #takeAway(
    tx: EntityManager,
    database: Database,
    found: Schedule | null,
    { timezone, enabled }: DefaultScheduleEdits,
  ): Promise<boolean> {
    const stays = found !== null && this.isServicesOwn(found);
    if (found !== null && !stays) await removeSchedule(tx, found);
    const follows = stays || (await this.follow(tx, database.id));
    const hasMore = follows && (await this.onSave(tx, database, { timezone, enabled }));
    return hasMore || (found === null ? follows : !stays);
  }

  async #renew(renewals: readonly Renewal[]): Promise<void> {
    const ids = [...new Set(renewals.map(({ before }) => before.databaseId))];
    const named = await this.catalog.read.find(Database, {
      select: { id: true, name: true },
      where: { id: In(ids) },
    });
    const databases = new Map(named.map((database) => [database.id, database]));
    await this.catalog.write(async (tx) => {
      for (const renewal of renewals) {
        const database = databases.get(renewal.before.databaseId);
        if (database !== undefined) await this.editor.renew(tx, renewal, database);
      }
    });
  }

  /** One schedule that cannot be read must not keep the others, and the service, from starting. */
  #plan(schedule: Schedule): Renewal | undefined {
    try {
      return this.editor.planRenewal(schedule);
    } catch (error) {
      this.#log.error({ err: error, scheduleId: schedule.id }, 'cannot bring a schedule up to date');
      return undefined;
    }
  }
}

async function withoutSchedule(tx: EntityManager): Promise<Database[]> {
  return tx
    .createQueryBuilder(Database, 'd')
    .where((query) => {
      const own = query.subQuery().select('1').from(Schedule, 's').where('s.database_id = d.id');
      return `NOT EXISTS ${own.getQuery()}`;
    })
    .getMany();
}
