import { isDeepStrictEqual } from 'node:util';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { Clock } from '../clock/clock.js';
import type { Database } from '../databases/database.entity.js';
import type { Settled } from './due-runs.js';
import { MissedRunAlert } from './missed-run-alert.js';
import {
  blankSchedule,
  editSchedule,
  planNext,
  type ScheduleEdits,
  settleSchedule,
} from './schedule-edits.js';
import { Schedule } from './schedule.entity.js';
import { freeSlotsAfter, moveOn } from './schedule-rows.js';
import { ScheduleTimings } from './schedule-timings.js';

/** A schedule before and after the service's settings have changed. */
export interface Renewal {
  before: Schedule;
  after: Schedule;
  settled: Settled;
}

/** Changes schedules without losing a run: what came due by the times before is owed or told of when those go. */
@Injectable()
export class ScheduleEditor {
  constructor(
    private readonly clock: Clock,
    private readonly timings: ScheduleTimings,
    private readonly alert: MissedRunAlert,
  ) {}

  /** A schedule that follows the service's own; no row yet. */
  blank(databaseId: string, name: string): Schedule {
    const now = this.clock.now();
    const schedule = blankSchedule(uuidv7(), databaseId, name, now);
    planNext(schedule, { settledUntil: now.getTime() }, this.timings, now);
    return schedule;
  }

  /**
   * Makes the edits in `schedule`, which is held and still to be written.
   * @throws what `editSchedule` throws
   */
  async edit(
    tx: EntityManager,
    schedule: Schedule,
    database: Database,
    edits: ScheduleEdits,
    cronField?: string,
  ): Promise<void> {
    const settled = editSchedule(schedule, edits, this.timings, this.clock.now(), cronField);
    await this.#tell(tx, schedule, database, settled);
  }

  /** Whether the service means another time by it than when its next run was computed. */
  isOutdated(schedule: Schedule): boolean {
    return !isDeepStrictEqual(schedule.firing, this.timings.firingOf(schedule));
  }

  /**
   * What becomes of a schedule that goes by what the service says now. Rows of a version before do not know what they went by; it is
   * taken for the same.
   */
  planRenewal(schedule: Schedule): Renewal {
    const now = this.clock.now();
    const after = Object.assign(new Schedule(), schedule);
    const settled = settleSchedule(schedule, this.timings, now, schedule.firing !== null);
    planNext(after, settled, this.timings, now);
    return { before: schedule, after, settled };
  }

  /** Makes it true, unless somebody has moved the schedule on since it was read. */
  async renew(
    tx: EntityManager,
    { before, after, settled }: Renewal,
    database: Pick<Database, 'id' | 'name'>,
  ): Promise<void> {
    const { firing, settledUntil, owedAt, nextRunAt } = after;
    if (!(await moveOn(tx, before, { firing, settledUntil, owedAt, nextRunAt }))) return;
    await this.#tell(tx, after, database, settled);
  }

  async #tell(
    tx: EntityManager,
    schedule: Schedule,
    database: Pick<Database, 'id' | 'name'>,
    { missed, freesSlots }: Settled,
  ): Promise<void> {
    if (freesSlots) await freeSlotsAfter(tx, schedule.id, schedule.settledUntil.getTime());
    if (missed === undefined) return;
    const caughtUp = missed.caughtUp && schedule.owedAt !== null;
    this.alert.tell(tx, schedule, database, { ...missed, caughtUp });
  }
}
