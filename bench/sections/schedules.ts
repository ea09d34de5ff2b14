import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { Logger } from '@nestjs/common';

import { ManualClock } from '../../test/support/manual-clock.ts';
import type * as Backups from '../../src/backups/backup.entity.ts';
import type * as Copies from '../../src/backups/backup-copy.entity.ts';
import type * as Logs from '../../src/backups/backup-log.entity.ts';
import type * as Moves from '../../src/backups/backup-moves.ts';
import type * as Queries from '../../src/backups/backup-queries.ts';
import type * as Services from '../../src/backups/backups.service.ts';
import type * as Catalogs from '../../src/catalog/open-catalog.ts';
import type * as Migrations from '../../src/catalog/migrations/all.ts';
import type * as Configs from '../../src/config/read-config.ts';
import type * as Databases from '../../src/databases/database.entity.ts';
import type * as Counters from '../../src/events/event-counter.entity.ts';
import type * as EventLogs from '../../src/events/event-log.ts';
import type * as Totals from '../../src/events/event-total.entity.ts';
import type * as Recorded from '../../src/events/recorded-event.entity.ts';
import type * as Queues from '../../src/queue/catalog-queue.ts';
import type * as Stores from '../../src/queue/ticket-store.ts';
import type * as Tickets from '../../src/queue/ticket.entity.ts';
import type * as Alerts from '../../src/scheduler/missed-run-alert.ts';
import type * as Starters from '../../src/scheduler/run-starter.ts';
import type * as Schedules from '../../src/scheduler/schedule.entity.ts';
import type * as Tickers from '../../src/scheduler/schedule-ticker.ts';
import type * as Timings from '../../src/scheduler/schedule-timings.ts';
import type { Bench } from '../harness/bench.ts';
import { built } from '../harness/built.ts';
import { goal, median, milliseconds } from '../harness/figures.ts';
import type { Section, Table } from '../harness/section.ts';

const SCHEDULES = 10_000;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 1440;
const LIMIT_MS = 100;
const START = Date.UTC(2026, 10, 21);

/** The ticker over an SQLite catalog, in this process: nobody carries the backups out that it asks for. */
export const schedules: Section = {
  name: 'schedules',
  about: `a tick with ${SCHEDULES} schedules`,
  async run(bench: Bench): Promise<Table[]> {
    Logger.overrideLogger(false);
    const path = join(await bench.folder('schedules'), 'backup.db');
    const clock = new ManualClock(new Date(START));
    // Two SQLite libraries in one process must not have one file open at once: the one's close takes the other's locks.
    await (await openTicker(path, clock)).opened.close();
    fillSchedules(path);
    const { ticker, opened, countBackups } = await openTicker(path, clock);
    const rows: string[][] = [];
    for (const [name, minutes, hasGoal] of [
      ['nothing is due', 0, true],
      ['a minute of daily schedules, spread over the day', 1, true],
      ['a quarter of an hour of them at once', 15, false],
    ] as const) {
      const taken: number[] = [];
      let due = 0;
      // The first one warms the caches.
      for (let run = -1; run < bench.runs; run += 1) {
        clock.advance(minutes * MINUTE_MS);
        const before = await countBackups();
        const began = performance.now();
        await ticker.tick();
        if (run >= 0) taken.push(performance.now() - began);
        due = (await countBackups()) - before;
      }
      if (due < minutes) throw new Error(`only ${due} backups were asked for`);
      const middle = median(taken);
      bench.say(`${name}: ${milliseconds(middle)}`);
      const aim = hasGoal ? goal(`≤ ${LIMIT_MS} ms`, middle <= LIMIT_MS) : '';
      rows.push([name, String(due), milliseconds(middle), milliseconds(Math.max(...taken)), aim]);
    }
    await opened.close();
    return [
      {
        title: `One tick with ${SCHEDULES.toLocaleString('en-US')} schedules`,
        columns: ['', 'due', 'median', 'worst', 'goal'],
        rows,
        notes: [
          'Each backup is asked for in a transaction of its own, flushed to the disk. Nothing is logged.',
        ],
      },
    ];
  },
};

/** What a process has of the service to look at schedules. */
async function openTicker(
  path: string,
  clock: ManualClock,
): Promise<{
  ticker: Tickers.ScheduleTicker;
  opened: Catalogs.OpenCatalog;
  countBackups: () => Promise<number>;
}> {
  const { MIGRATIONS } = await built<typeof Migrations>('catalog/migrations/all.js');
  const { openCatalog } = await built<typeof Catalogs>('catalog/open-catalog.js');
  const entities = await readEntities();
  const opened = await openCatalog({ kind: 'sqlite', path }, { entities, migrations: MIGRATIONS });
  const { catalog } = opened;
  const { readConfig } = await built<typeof Configs>('config/read-config.js');
  const { EventLog } = await built<typeof EventLogs>('events/event-log.js');
  const { CatalogQueue } = await built<typeof Queues>('queue/catalog-queue.js');
  const { TicketStore } = await built<typeof Stores>('queue/ticket-store.js');
  const { BackupMoves } = await built<typeof Moves>('backups/backup-moves.js');
  const { BackupQueries } = await built<typeof Queries>('backups/backup-queries.js');
  const { BackupsService } = await built<typeof Services>('backups/backups.service.js');
  const { MissedRunAlert } = await built<typeof Alerts>('scheduler/missed-run-alert.js');
  const { RunStarter } = await built<typeof Starters>('scheduler/run-starter.js');
  const { ScheduleTicker } = await built<typeof Tickers>('scheduler/schedule-ticker.js');
  const { ScheduleTimings } = await built<typeof Timings>('scheduler/schedule-timings.js');
  const config = readConfig({});
  const events = new EventLog(catalog, clock);
  const queue = new CatalogQueue(catalog, clock, config, new TicketStore());
  const queries = new BackupQueries(catalog);
  const backups = new BackupsService(catalog, clock, queue, queries, new BackupMoves(events));
  const starter = new RunStarter(catalog, backups, events, new MissedRunAlert(catalog, events));
  const ticker = new ScheduleTicker(catalog, clock, new ScheduleTimings(config), starter);
  const { Backup } = await built<typeof Backups>('backups/backup.entity.js');
  return { ticker, opened, countBackups: () => catalog.read.count(Backup) };
}

async function readEntities() {
  const { Backup } = await built<typeof Backups>('backups/backup.entity.js');
  const { BackupCopy } = await built<typeof Copies>('backups/backup-copy.entity.js');
  const { BackupLog } = await built<typeof Logs>('backups/backup-log.entity.js');
  const { Database } = await built<typeof Databases>('databases/database.entity.js');
  const { EventCounter } = await built<typeof Counters>('events/event-counter.entity.js');
  const { EventTotal } = await built<typeof Totals>('events/event-total.entity.js');
  const { RecordedEvent } = await built<typeof Recorded>('events/recorded-event.entity.js');
  const { Schedule } = await built<typeof Schedules>('scheduler/schedule.entity.js');
  const { Ticket } = await built<typeof Tickets>('queue/ticket.entity.js');
  return [Backup, BackupCopy, BackupLog, Database, EventCounter, EventTotal, RecordedEvent, Schedule, Ticket];
}

/** One database and one daily schedule each, spread evenly over the minutes of the day that begins. */
function fillSchedules(path: string): void {
  using catalog = new DatabaseSync(path);
  const at = new Date(START).toISOString();
  const database = catalog.prepare(
    `INSERT INTO databases (id, name, engine, host, port, database_name, parameters, tls, options, retention, created_at, updated_at)
     VALUES (?, ?, 'postgres', 'db.example.com', 5432, 'app', '{}', '{"mode":"prefer"}', '{}', '{}', ?, ?)`,
  );
  const schedule = catalog.prepare(
    `INSERT INTO schedules (id, database_id, name, cron, enabled, catch_up, jitter_seconds, blackouts, anchor_at, settled_until,
       next_run_at, created_at, updated_at)
     VALUES (?, ?, 'default', ?, 1, 'run', 0, '[]', ?, ?, ?, ?, ?)`,
  );
  catalog.exec('BEGIN');
  for (let number = 0; number < SCHEDULES; number += 1) {
    const id = `01990000-0000-7000-8000-${String(number).padStart(12, '0')}`;
    // None at the first moment: what is settled then does not run any more.
    const minute = 1 + (number % (MINUTES_A_DAY - 1));
    const next = new Date(START + minute * MINUTE_MS).toISOString();
    database.run(id, `database-${number}`, at, at);
    schedule.run(id, id, `${minute % 60} ${Math.floor(minute / 60)} * * *`, at, at, next, at, at);
  }
  catalog.exec('COMMIT');
}
