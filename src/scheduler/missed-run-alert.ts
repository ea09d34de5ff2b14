import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { EventLog } from '../events/event-log.js';
import type { MissedRuns } from './due-runs.js';
import type { Schedule } from './schedule.entity.js';

/** The alert for runs that nobody made in their time: an event that is counted, and a line of the log, once. */
@Injectable()
export class MissedRunAlert {
  readonly #log = new Logger('Scheduler');

  constructor(
    private readonly catalog: Catalog,
    private readonly events: EventLog,
  ) {}

  /** In the transaction that moves the schedule on over these runs: that can only happen once, and so can this. */
  tell(
    tx: EntityManager,
    schedule: Pick<Schedule, 'id' | 'name'>,
    database: { id: string; name: string },
    { count, first, last, caughtUp }: MissedRuns,
  ): void {
    const [firstSlot, lastSlot] = [new Date(first), new Date(last)];
    this.events.append(tx, {
      name: 'ScheduleRunMissed',
      subject: { kind: 'schedule', id: schedule.id },
      database: { id: database.id, name: database.name },
      times: count,
      facts: {
        schedule: schedule.name,
        count,
        first_slot: firstSlot.toISOString(),
        last_slot: lastSlot.toISOString(),
        caught_up: caughtUp,
      },
    });
    this.catalog.atEndOf(tx, async () => {
      const named = { database: database.name, schedule: schedule.name, scheduleId: schedule.id };
      this.#log.error(
        { ...named, count, firstSlot, lastSlot, caughtUp },
        'scheduled backups were missed: nobody ran them in their time',
      );
      return Promise.resolve();
    });
  }
}
