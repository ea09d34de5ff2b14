import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, IsNull } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { type DatabaseDependent, DatabaseDependents } from '../databases/database-dependents.js';
import { Database } from '../databases/database.entity.js';
import { type DefaultScheduleEdits, DefaultSchedules } from '../databases/default-schedules.js';
import { DEFAULT_SCHEDULE, Schedule } from './schedule.entity.js';
import { blankSchedule, editSchedule, nextRunAt } from './schedule-edits.js';
import { defaultScheduleOf, defaultSchedulesOf, insertSchedule, updateSchedule } from './schedule-rows.js';
import { ScheduleTimings } from './schedule-timings.js';

/** What a database's own fields call the cron expression. */
const CRON_FIELD = 'schedule';

/**
 * Keeps the schedule called `default` of each database: what the database's own fields say, and, for a database that has no schedule
 * at all, one that follows BACKUP_SCHEDULE or BACKUP_INTERVAL_HOURS.
 */
@Injectable()
export class DefaultScheduleKeeper implements DatabaseDependent, OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly timings: ScheduleTimings,
    private readonly dependents: DatabaseDependents,
    private readonly defaults: DefaultSchedules,
  ) {}

  onModuleInit(): void {
    this.dependents.add(this);
    this.defaults.setReader(defaultSchedulesOf);
  }

  /** The service's own schedule may be another than at the last start. */
  async onApplicationBootstrap(): Promise<void> {
    await this.catalog.write(async (tx) => {
      for (const { id } of await withoutSchedule(tx)) await this.follow(tx, id);
      const following = await tx.find(Schedule, {
        where: [{ timezone: IsNull() }, { cron: IsNull(), intervalHours: IsNull() }],
      });
      for (const schedule of following) await this.#renew(tx, schedule);
    });
  }

  async onSave(tx: EntityManager, database: Database, edits: DefaultScheduleEdits): Promise<void> {
    const found = await defaultScheduleOf(tx, database.id);
    if (Object.values(edits).every((edit) => edit === undefined)) {
      if (found === null) await this.follow(tx, database.id);
      return;
    }
    const now = this.clock.now();
    const schedule = found ?? blankSchedule(uuidv7(), database.id, DEFAULT_SCHEDULE, now);
    if (this.#isTakenAway(schedule, edits)) {
      if (found !== null) await tx.delete(Schedule, { id: schedule.id });
      return this.follow(tx, database.id);
    }
    editSchedule(schedule, edits, this.timings, now, CRON_FIELD);
    await (found === null ? insertSchedule(tx, schedule, database) : updateSchedule(tx, schedule, database));
  }

  /** The row goes by the foreign key. */
  async onRemove(): Promise<void> {
    // Nothing more belongs to it.
  }

  async activeWork(): Promise<[]> {
    return Promise.resolve([]);
  }

  /** A database without any schedule follows the service's own, if there is one. */
  async follow(tx: EntityManager, databaseId: string): Promise<void> {
    if (!this.timings.hasDefault || (await tx.existsBy(Schedule, { databaseId }))) return;
    const schedule = blankSchedule(uuidv7(), databaseId, DEFAULT_SCHEDULE, this.clock.now());
    schedule.nextRunAt = nextRunAt(this.timings.rulesOf(schedule), schedule.settledUntil);
    await tx.insert(Schedule, schedule);
  }

  /** `null` for all that it says of its time, and nothing in its place. */
  #isTakenAway(schedule: Schedule, edits: DefaultScheduleEdits): boolean {
    const { cron = schedule.cron, intervalHours = schedule.intervalHours } = edits;
    const removes = edits.cron === null || edits.intervalHours === null;
    return removes && cron === null && intervalHours === null && edits.enabled !== false;
  }

  async #renew(tx: EntityManager, schedule: Schedule): Promise<void> {
    const rules = this.timings.rulesOf(schedule);
    const expected = schedule.enabled ? nextRunAt(rules, schedule.settledUntil) : null;
    if (expected?.getTime() === schedule.nextRunAt?.getTime()) return;
    // It means other moments than before; none of them was missed.
    const settledUntil = this.clock.now();
    const next = schedule.enabled ? nextRunAt(rules, settledUntil) : null;
    await tx.update(Schedule, { id: schedule.id }, { settledUntil, nextRunAt: next });
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
