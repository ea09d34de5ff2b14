import { v7 as uuidv7 } from 'uuid';
import { afterEach } from 'vitest';

import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupLog } from '../../src/backups/backup-log.entity.ts';
import { BackupMoves } from '../../src/backups/backup-moves.ts';
import { BackupQueries } from '../../src/backups/backup-queries.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { BackupsService } from '../../src/backups/backups.service.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog, type OpenCatalog } from '../../src/catalog/open-catalog.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { DatabaseDependents } from '../../src/databases/database-dependents.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { DefaultSchedules } from '../../src/databases/default-schedules.ts';
import { EventCounter } from '../../src/events/event-counter.entity.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { CatalogQueue } from '../../src/queue/catalog-queue.ts';
import { TicketStore } from '../../src/queue/ticket-store.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { DefaultScheduleKeeper } from '../../src/scheduler/default-schedule-keeper.ts';
import { MissedRunAlert } from '../../src/scheduler/missed-run-alert.ts';
import { RunStarter } from '../../src/scheduler/run-starter.ts';
import { ScheduleEditor } from '../../src/scheduler/schedule-editor.ts';
import { blankSchedule, editSchedule, type ScheduleEdits } from '../../src/scheduler/schedule-edits.ts';
import { Schedule } from '../../src/scheduler/schedule.entity.ts';
import { ScheduleTicker } from '../../src/scheduler/schedule-ticker.ts';
import { ScheduleTimings } from '../../src/scheduler/schedule-timings.ts';
import { SchedulesService } from '../../src/scheduler/schedules.service.ts';
import type { CatalogKind } from '../catalog/places.ts';
import type { ManualClock } from '../support/manual-clock.ts';

const schema = {
  entities: [
    Backup,
    BackupCopy,
    BackupLog,
    Database,
    EventCounter,
    EventTotal,
    RecordedEvent,
    Schedule,
    Ticket,
  ],
  migrations: MIGRATIONS,
};

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

/** A catalog that is gone after the test. */
export async function emptyCatalog(kind: CatalogKind): Promise<Catalog> {
  const place = await kind.fresh();
  const opened: OpenCatalog = await openCatalog(place.location, schema);
  open.push(place, { [Symbol.asyncDispose]: () => opened.close() });
  return opened.catalog;
}

/** What one process has of the scheduler, with settings of its own, over a catalog that others may have too. */
export interface SchedulerProcess {
  ticker: ScheduleTicker;
  keeper: DefaultScheduleKeeper;
  service: SchedulesService;
  /** What the service does with its schedules when it starts. */
  start(): Promise<void>;
}

export function schedulerOn(
  catalog: Catalog,
  clock: ManualClock,
  variables: Record<string, string> = {},
): SchedulerProcess {
  const config = readConfig(variables);
  const events = new EventLog(catalog, clock);
  const queue = new CatalogQueue(catalog, clock, config, new TicketStore());
  const backups = new BackupsService(
    catalog,
    clock,
    queue,
    new BackupQueries(catalog),
    new BackupMoves(events),
  );
  const timings = new ScheduleTimings(config);
  const alert = new MissedRunAlert(catalog, events);
  const editor = new ScheduleEditor(clock, timings, alert);
  const ticker = new ScheduleTicker(catalog, clock, timings, new RunStarter(catalog, backups, events, alert));
  const keeper = new DefaultScheduleKeeper(
    catalog,
    timings,
    editor,
    new DatabaseDependents(),
    new DefaultSchedules(catalog),
  );
  const service = new SchedulesService(catalog, clock, editor, keeper, backups, events);
  return {
    ticker,
    keeper,
    service,
    start: async () => {
      await keeper.onApplicationBootstrap();
      await ticker.onApplicationBootstrap();
    },
  };
}

/** A ticker as a process has it: its own services over the one catalog. */
export function tickerOn(
  catalog: Catalog,
  clock: ManualClock,
  variables: Record<string, string> = {},
): ScheduleTicker {
  return schedulerOn(catalog, clock, variables).ticker;
}

export async function insertDatabase(catalog: Catalog, name: string, now: Date): Promise<Database> {
  const id = uuidv7();
  const row = {
    id,
    name,
    engine: 'postgres' as const,
    host: 'db.example.com',
    port: 5432,
    databaseName: name,
    parameters: {},
    tls: { mode: 'prefer' as const },
    options: {},
    retention: {},
    createdAt: now,
    updatedAt: now,
  };
  await catalog.write((tx) => tx.insert(Database, row));
  return catalog.read.findOneByOrFail(Database, { id });
}

/** A schedule of a database of its own, made by a service with these settings. */
export async function insertSchedule(
  catalog: Catalog,
  clock: ManualClock,
  edits: ScheduleEdits,
  variables: Record<string, string> = {},
): Promise<Schedule> {
  const database = await insertDatabase(catalog, `db-${uuidv7().slice(-12)}`, clock.now());
  const schedule = blankSchedule(uuidv7(), database.id, 'default', clock.now());
  editSchedule(schedule, edits, new ScheduleTimings(readConfig(variables)), clock.now());
  await catalog.write((tx) => tx.insert(Schedule, schedule));
  return schedule;
}

/** `MM-DDTHH:MM` of each backup's slot, ascending; empty where it has none. */
export async function slotsOf(catalog: Catalog, { id }: Pick<Schedule, 'id'>): Promise<string[]> {
  const made = await catalog.read.find(Backup, { where: { scheduleId: id }, order: { slotAt: 'ASC' } });
  return made.map(({ slotAt }) => slotAt?.toISOString().slice(5, 16) ?? '');
}

/** As if all backups that wait had been made. */
export async function endAll(catalog: Catalog): Promise<void> {
  await catalog.write((tx) => tx.update(Backup, { status: 'queued' }, { status: 'completed' }));
}

export async function missedEvents(catalog: Catalog): Promise<RecordedEvent[]> {
  return catalog.read.findBy(RecordedEvent, { name: 'ScheduleRunMissed' });
}
