import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { BackupsService } from '../backups/backups.service.js';
import { Catalog } from '../catalog/catalog.js';
import { violatesUnique } from '../catalog/write-errors.js';
import { Clock } from '../clock/clock.js';
import { holdDatabase } from '../databases/database-rows.js';
import { Database } from '../databases/database.entity.js';
import { EventLog } from '../events/event-log.js';
import type { EventName } from '../events/event-names.js';
import { IdempotencyKeyReusedError } from '../idempotency/idempotency.errors.js';
import { type KeyedMaking, makeOnce, NO_ORIGIN, type Origin } from '../idempotency/make-once.js';
import { requestDigest } from '../idempotency/request-text.js';
import { DefaultScheduleKeeper } from './default-schedule-keeper.js';
import { ScheduleFromEnvironmentError, ScheduleInvalidError } from './schedule.errors.js';
import { DEFAULT_SCHEDULE, Schedule } from './schedule.entity.js';
import { ScheduleEditor } from './schedule-editor.js';
import { changesSchedule, type ScheduleEdits } from './schedule-edits.js';
import {
  dropFollower,
  insertSchedule,
  removeSchedule,
  requireSchedule,
  scheduleOfKey,
  updateSchedule,
} from './schedule-rows.js';

/** What can be asked of schedules. Those of a removed database are removed with it. */
@Injectable()
export class SchedulesService {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly editor: ScheduleEditor,
    private readonly keeper: DefaultScheduleKeeper,
    private readonly backups: BackupsService,
    private readonly events: EventLog,
  ) {}

  /** @throws ScheduleNotFoundError */
  async get(id: string): Promise<Schedule> {
    return requireSchedule(this.catalog.read, id);
  }

  /**
   * For a repeated idempotency key it gives the schedule that the first request has made, as it is now.
   *
   * @param database id or name
   * @throws DatabaseNotFoundError, ScheduleNameTakenError, IdempotencyKeyReusedError, and what the rules throw
   */
  async create(database: string, edits: ScheduleEdits, idempotencyKey?: string): Promise<Schedule> {
    const make = (origin: Origin): Promise<Schedule> =>
      this.catalog.write(async (tx) => this.#createIn(tx, await holdDatabase(tx, database), edits, origin));
    if (idempotencyKey === undefined) return make(NO_ORIGIN);
    const requestMark = requestDigest({ database, edits });
    const making: KeyedMaking<Schedule> = {
      find: () => scheduleOfKey(this.catalog.read, idempotencyKey),
      giveUp: ({ id }) => this.catalog.write((tx) => tx.update(Schedule, { id }, NO_ORIGIN)),
      refuseUnlessFor: (first) => refuseUnlessFor(first, requestMark),
      make: () => make({ idempotencyKey, requestMark }),
      isKeyTaken: (error) => violatesUnique(error, 'schedules', 'idempotency'),
    };
    return makeOnce(making, this.clock);
  }

  /**
   * Has a schedule of the name in `edits` say what they say, as a part of the transaction `tx`, which holds the database; makes it when
   * there is none, and writes nothing when they change nothing. Gives what it did.
   *
   * @throws what the rules throw
   */
  async declareIn(
    tx: EntityManager,
    database: Database,
    edits: ScheduleEdits & { name: string },
  ): Promise<'created' | 'changed' | 'unchanged'> {
    const schedule = await tx.findOneBy(Schedule, { databaseId: database.id, name: edits.name });
    if (schedule === null) {
      await this.#createIn(tx, database, edits, NO_ORIGIN);
      return 'created';
    }
    if (!changesSchedule(schedule, edits)) return 'unchanged';
    await this.#changeIn(tx, schedule, database, edits);
    return 'changed';
  }

  /**
   * Changes what is given.
   * @param database when given, the id or name of the database that it must already belong to
   * @throws ScheduleNotFoundError, ScheduleNameTakenError, and what the rules throw
   */
  async change(id: string, edits: ScheduleEdits, database?: string): Promise<Schedule> {
    return this.catalog.write(async (tx) => {
      const { databaseId } = await requireSchedule(tx, id);
      // Held, and read again: a ticker may be moving it on.
      const held = await holdDatabase(tx, databaseId);
      if (database !== undefined && database !== held.id && database !== held.name) {
        throw new ScheduleInvalidError('database_id', `cannot be changed; it belongs to "${held.name}"`);
      }
      return this.#changeIn(tx, await requireSchedule(tx, id), held, edits);
    });
  }

  /**
   * Backups that it made stay, and go by what it said of them. The last of a database makes room for the service's own schedule, if there is one.
   * @throws ScheduleNotFoundError, ScheduleFromEnvironmentError
   */
  async remove(id: string): Promise<void> {
    await this.catalog.write(async (tx) => {
      const schedule = await requireSchedule(tx, id);
      const database = await holdDatabase(tx, schedule.databaseId);
      if (this.keeper.isServicesOwn(schedule)) throw new ScheduleFromEnvironmentError(schedule.id);
      await removeSchedule(tx, schedule);
      await this.keeper.follow(tx, database.id);
      this.#tell(tx, 'ScheduleRemoved', schedule, database);
    });
  }

  /** Asks for a backup as the schedule would, and changes nothing of when it runs. @throws what `BackupsService.create` throws */
  async runNow(id: string, idempotencyKey?: string): Promise<Backup> {
    const schedule = await this.get(id);
    const backup = await this.backups.create({
      database: schedule.databaseId,
      trigger: 'manual',
      schedule: { id: schedule.id, slotAt: null },
      idempotencyKey,
    });
    // Of a repeated key the backup is an earlier one.
    if (schedule.lastRunAt !== null && schedule.lastRunAt >= backup.createdAt) return backup;
    const last = { lastRunAt: backup.createdAt, lastBackupId: backup.id };
    await this.catalog.write((tx) => tx.update(Schedule, { id: schedule.id }, last));
    return backup;
  }

  async #createIn(
    tx: EntityManager,
    held: Database,
    edits: ScheduleEdits,
    origin: Origin,
  ): Promise<Schedule> {
    await dropFollower(tx, held.id);
    const schedule = Object.assign(this.editor.blank(held.id, edits.name ?? DEFAULT_SCHEDULE), origin);
    await this.editor.edit(tx, schedule, held, edits);
    await insertSchedule(tx, schedule, held);
    this.#tell(tx, 'ScheduleCreated', schedule, held);
    return schedule;
  }

  async #changeIn(
    tx: EntityManager,
    schedule: Schedule,
    held: Database,
    edits: ScheduleEdits,
  ): Promise<Schedule> {
    await this.editor.edit(tx, schedule, held, edits);
    await updateSchedule(tx, schedule, held);
    this.#tell(tx, 'ScheduleChanged', schedule, held);
    return schedule;
  }

  #tell(tx: EntityManager, name: EventName, schedule: Schedule, database: Database): void {
    this.events.append(tx, {
      name,
      subject: { kind: 'schedule', id: schedule.id },
      database: { id: database.id, name: database.name },
      facts: { schedule: schedule.name },
    });
  }
}

/** A schedule has no secrets, so a digest may lie in its row. */
function refuseUnlessFor({ id, name, databaseId, requestMark }: Schedule, mark: string): void {
  if (requestMark === mark) return;
  const facts = { schedule_id: id, schedule: name, database_id: databaseId };
  throw new IdempotencyKeyReusedError(`schedule ${id}, "${name}" of database ${databaseId}`, facts);
}
