import { Injectable, Logger } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { Backup } from '../backups/backup.entity.js';
import { BackupsService } from '../backups/backups.service.js';
import { Catalog } from '../catalog/catalog.js';
import { holdDatabase } from '../databases/database-rows.js';
import type { Database } from '../databases/database.entity.js';
import { EventLog } from '../events/event-log.js';
import type { DueRuns } from './due-runs.js';
import { MissedRunAlert } from './missed-run-alert.js';
import { Schedule } from './schedule.entity.js';
import { freeSlotsAfter, moveOn } from './schedule-rows.js';

/** What became of a decision. */
interface CarriedOut {
  database: Database;
  backup?: Backup;
  /** The backup of the same schedule that is still at work. */
  stillAtWork?: Backup;
}

/** Makes true what was decided about a schedule: one short transaction for the backup, its ticket, the schedule and what is told. */
@Injectable()
export class RunStarter {
  readonly #log = new Logger('Scheduler');

  constructor(
    private readonly catalog: Catalog,
    private readonly backups: BackupsService,
    private readonly events: EventLog,
    private readonly alert: MissedRunAlert,
  ) {}

  /**
   * Moves the schedule on and asks for its backup; does nothing when another ticker or an edit has moved it on since it was read.
   * Of one schedule only one backup waits or runs: when the one before is still at work, this run is left out, and told of.
   */
  async carryOut(schedule: Schedule, decided: DueRuns): Promise<void> {
    const done = await this.catalog.write(async (tx): Promise<CarriedOut | undefined> => {
      const database = await holdDatabase(tx, schedule.databaseId);
      const { settledUntil, owedAt, nextRunAt, runAt, missed } = decided;
      const moved = await moveOn(tx, schedule, {
        settledUntil: new Date(settledUntil),
        owedAt: owedAt === undefined ? null : new Date(owedAt),
        nextRunAt: new Date(nextRunAt),
      });
      if (!moved) return undefined;
      if (decided.freesSlots) await freeSlotsAfter(tx, schedule.id, settledUntil);
      if (missed !== undefined) this.alert.tell(tx, schedule, database, missed);
      if (runAt === undefined) return { database };
      const slotAt = new Date(runAt);
      // After a clock was put back: the slot has its backup, and the unique key would refuse another one.
      if (await tx.existsBy(Backup, { scheduleId: schedule.id, slotAt })) return { database };
      const stillAtWork = await tx.findOneBy(Backup, {
        scheduleId: schedule.id,
        status: In(['queued', 'running']),
      });
      if (stillAtWork !== null) {
        this.#tellSkipped(tx, schedule, database, slotAt, stillAtWork);
        return { database, stillAtWork };
      }
      const backup = await this.backups.insert(tx, database, {
        trigger: 'scheduled',
        schedule: { id: schedule.id, slotAt },
      });
      const last = { lastRunAt: backup.createdAt, lastBackupId: backup.id };
      await tx.update(Schedule, { id: schedule.id }, last);
      return { database, backup };
    });
    if (done !== undefined) this.#logWhat(schedule, done);
  }

  #tellSkipped(
    tx: EntityManager,
    schedule: Schedule,
    database: Database,
    slotAt: Date,
    active: Backup,
  ): void {
    this.events.append(tx, {
      name: 'ScheduleRunSkipped',
      subject: { kind: 'schedule', id: schedule.id },
      database: { id: database.id, name: database.name },
      facts: { schedule: schedule.name, slot: slotAt.toISOString(), backup_id: active.id },
    });
  }

  #logWhat(schedule: Schedule, { database, backup, stillAtWork }: CarriedOut): void {
    const named = { database: database.name, schedule: schedule.name, scheduleId: schedule.id };
    if (stillAtWork !== undefined) {
      const active = { backupId: stillAtWork.id, status: stillAtWork.status };
      this.#log.warn(
        { ...named, ...active },
        'a scheduled backup is left out: the one before is still at work',
      );
    }
    if (backup !== undefined) this.#log.log({ ...named, backupId: backup.id }, 'scheduled backup queued');
  }
}
