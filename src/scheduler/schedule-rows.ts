import { type EntityManager, In, IsNull, MoreThan } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { violatesUnique } from '../catalog/write-errors.js';
import { isId } from '../databases/connection-rules.js';
import type { Database } from '../databases/database.entity.js';
import { RemovedSchedule } from './removed-schedule.entity.js';
import { ScheduleNameTakenError, ScheduleNotFoundError } from './schedule.errors.js';
import { DEFAULT_SCHEDULE, Schedule } from './schedule.entity.js';

/** @throws ScheduleNotFoundError */
export async function requireSchedule(entities: EntityManager, id: string): Promise<Schedule> {
  const found = isId(id) ? await entities.findOneBy(Schedule, { id: id.toLowerCase() }) : null;
  if (found === null) throw new ScheduleNotFoundError(id);
  return found;
}

/** The unique name decides, not a look beforehand. @throws ScheduleNameTakenError */
export async function insertSchedule(
  tx: EntityManager,
  schedule: Schedule,
  database: Database,
): Promise<void> {
  await unlessNameTaken(schedule, database, tx.insert(Schedule, schedule));
}

/** The schedule that a request with this idempotency key has made, however long ago. */
export async function scheduleOfKey(entities: EntityManager, key: string): Promise<Schedule | null> {
  return entities.findOneBy(Schedule, { idempotencyKey: key });
}

/**
 * Writes what a row that is held says, but not its origin: whoever gives its old key up, to have it himself, holds another database, and
 * the key written back would be there twice. @throws ScheduleNameTakenError
 */
export async function updateSchedule(
  tx: EntityManager,
  schedule: Schedule,
  database: Database,
): Promise<void> {
  const { id, idempotencyKey: _key, requestMark: _mark, ...columns } = schedule;
  await unlessNameTaken(schedule, database, tx.update(Schedule, { id }, columns));
}

export async function defaultScheduleOf(
  entities: EntityManager,
  databaseId: string,
): Promise<Schedule | null> {
  return entities.findOneBy(Schedule, { databaseId, name: DEFAULT_SCHEDULE });
}

/** Those of many databases, by the databases' ids. */
export async function defaultSchedulesOf(
  entities: EntityManager,
  databaseIds: readonly string[],
): Promise<Map<string, Schedule>> {
  const found = await entities.findBy(Schedule, { databaseId: In([...databaseIds]), name: DEFAULT_SCHEDULE });
  return new Map(found.map((schedule) => [schedule.databaseId, schedule]));
}

/**
 * Takes away a default schedule that says nothing of its own and merely follows the service's: a database that gets a schedule of its
 * own follows it no longer.
 */
export async function dropFollower(tx: EntityManager, databaseId: string): Promise<void> {
  const says = { cron: IsNull(), intervalHours: IsNull(), timezone: IsNull() };
  const follower = { databaseId, name: DEFAULT_SCHEDULE, enabled: true, ...says };
  for (const schedule of await tx.findBy(Schedule, follower)) await removeSchedule(tx, schedule);
}

/**
 * Removes a schedule, in a transaction that holds its database. A policy of its own goes on counting for the backups that it made;
 * those of others of the database that have no backup left are forgotten on this occasion.
 */
export async function removeSchedule(tx: EntityManager, schedule: Schedule): Promise<void> {
  const { id, databaseId, name, retention } = schedule;
  await tx.delete(Schedule, { id });
  for (const removed of await tx.findBy(RemovedSchedule, { databaseId })) {
    const kept = { scheduleId: removed.id, status: In(['queued', 'running', 'completed']) };
    if (!(await tx.existsBy(Backup, kept))) await tx.delete(RemovedSchedule, { id: removed.id });
  }
  if (retention !== null) await tx.insert(RemovedSchedule, { id, databaseId, name, retention });
}

/** Gives false, and changes nothing, when the schedule is no longer as it was when it was read. */
export async function moveOn(
  tx: EntityManager,
  read: Schedule,
  columns: Pick<Schedule, 'settledUntil' | 'owedAt' | 'nextRunAt'> & Partial<Pick<Schedule, 'firing'>>,
): Promise<boolean> {
  const asRead = {
    id: read.id,
    enabled: read.enabled,
    settledUntil: read.settledUntil,
    owedAt: read.owedAt ?? IsNull(),
    nextRunAt: read.nextRunAt ?? IsNull(),
    updatedAt: read.updatedAt,
  };
  const moved = await tx.update(Schedule, asRead, columns);
  return moved.affected === 1;
}

/** The clock was far ahead and has been put back: runs that have not come yet may be made again, and their backups stay. */
export async function freeSlotsAfter(tx: EntityManager, scheduleId: string, afterMs: number): Promise<void> {
  await tx.update(Backup, { scheduleId, slotAt: MoreThan(new Date(afterMs)) }, { slotAt: null });
}

async function unlessNameTaken(
  { name }: Schedule,
  database: Database,
  writing: Promise<unknown>,
): Promise<void> {
  try {
    await writing;
  } catch (error) {
    const isTaken = violatesUnique(error, 'schedules', 'name');
    throw isTaken ? new ScheduleNameTakenError(name, database.name) : error;
  }
}
