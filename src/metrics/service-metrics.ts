import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';

import type { EventName } from '../events/event-names.js';
import type { EventTotal } from '../events/event-total.entity.js';
import type { StorageSpace } from '../storage/storage.js';
import type { CatalogFacts, DatabaseFacts } from './catalog-facts.js';
import { StoredHistogram } from './stored-histogram.js';

const perDatabase = (name: string, help: string): Gauge<'database'> =>
  new Gauge({ name, help, labelNames: ['database'] });
const plain = (name: string, help: string): Gauge => new Gauge({ name, help });
const countedPerDatabase = (name: string, help: string): Counter<'database'> =>
  new Counter({ name, help, labelNames: ['database'] });

/**
 * Backstop's own metrics. They hold what was shown last and count nothing by themselves: each scrape shows the catalog's facts
 * anew, so that they are right after a restart, and a database that was removed has no series any more. A label is the name of a
 * registered database and nothing else.
 */
@Injectable()
export class ServiceMetrics {
  readonly #backups = new Counter({
    name: 'backups_total',
    help: 'Backups that have ended, by how.',
    labelNames: ['database', 'status'],
  });
  readonly #backupSeconds = new StoredHistogram(
    'backup_duration_seconds',
    'How long completed backups took.',
  );
  readonly #restoreSeconds = new StoredHistogram(
    'restore_duration_seconds',
    'How long completed restores took, comparison included.',
  );
  readonly #sizeBytes = perDatabase('backup_size_bytes', 'Stored size of the last successful backup.');
  readonly #lastSuccess = perDatabase(
    'backup_last_success_timestamp_seconds',
    'When the newest backup that is stored, and not known to be damaged, was completed.',
  );
  readonly #lastProven = perDatabase(
    'backup_last_proven_timestamp_seconds',
    'When a backup that is still stored was last shown to be good by restoring and comparing it.',
  );
  readonly #evidence = perDatabase(
    'backup_evidence_level',
    'Evidence of the newest backup: 0 stored to 4 proven and 5 accepted; -1 found damaged or missing.',
  );
  readonly #registered = perDatabase(
    'database_registered_timestamp_seconds',
    'When the database was registered: alerts measure from here what has never happened.',
  );
  readonly #missed = countedPerDatabase(
    'schedule_missed_total',
    'Runs of schedules that nobody made in their time.',
  );
  readonly #retired = countedPerDatabase(
    'retention_deleted_total',
    'Backups that retention has chosen for removal.',
  );
  readonly #differed = countedPerDatabase(
    'restore_differs_total',
    'Restored copies that were not what had been backed up.',
  );
  readonly #running = plain('backups_running', 'Backups that run now.');
  readonly #queued = plain('backups_queued', 'Backups that wait for their turn.');
  readonly #removalFailing = plain(
    'backups_removal_failing',
    'Backups that are to be removed and could not be when that was last tried.',
  );
  readonly #free = plain(
    'disk_space_available_bytes',
    'Room left for archives where the backup directory lies.',
  );
  readonly #size = plain('disk_space_total_bytes', 'Size of the file system of the backup directory.');
  readonly #writable = plain('catalog_writable', '1 when the catalog took a row at this scrape, else 0.');

  readonly #ofCatalog = [
    this.#backups,
    this.#sizeBytes,
    this.#lastSuccess,
    this.#lastProven,
    this.#evidence,
    this.#registered,
    this.#missed,
    this.#retired,
    this.#differed,
  ];

  /** Shows these facts from now on. Undefined: they could not be read, and nothing old is shown in their place. */
  showCatalog(facts: CatalogFacts | undefined): void {
    for (const metric of this.#ofCatalog) metric.reset();
    if (facts === undefined) {
      for (const gauge of [this.#running, this.#queued, this.#removalFailing]) gauge.remove();
      for (const histogram of [this.#backupSeconds, this.#restoreSeconds]) histogram.show(undefined);
      return;
    }
    const totals = new Map(facts.totals.map((total) => [keyOf(total.eventName, total.databaseId), total]));
    for (const database of facts.databases) this.#showDatabase(database, totals);
    this.#running.set(facts.running);
    this.#queued.set(facts.queued);
    this.#removalFailing.set(facts.removalFailing);
    this.#backupSeconds.show(facts.totals.filter(({ eventName }) => eventName === 'BackupCompleted'));
    this.#restoreSeconds.show(facts.totals.filter(({ eventName }) => eventName === 'RestoreCompleted'));
  }

  showSpace(space: StorageSpace | undefined): void {
    if (space === undefined) {
      for (const gauge of [this.#free, this.#size]) gauge.remove();
      return;
    }
    this.#free.set(space.freeBytes);
    this.#size.set(space.totalBytes);
  }

  showWritable(writable: boolean): void {
    this.#writable.set(writable ? 1 : 0);
  }

  #showDatabase(facts: DatabaseFacts, totals: ReadonlyMap<string, EventTotal>): void {
    const { name: database, lastSuccess, lastProvenAt, evidenceLevel } = facts;
    const countOf = (event: EventName): number => totals.get(keyOf(event, facts.id))?.count ?? 0;
    // Also those that are 0: a rate needs the value before the first event.
    this.#backups.inc({ database, status: 'completed' }, countOf('BackupCompleted'));
    this.#backups.inc({ database, status: 'failed' }, countOf('BackupFailed'));
    this.#missed.inc({ database }, countOf('ScheduleRunMissed'));
    this.#retired.inc({ database }, countOf('BackupRetired'));
    this.#differed.inc({ database }, countOf('BackupDiffered'));
    this.#registered.set({ database }, toSeconds(facts.registeredAt));
    if (lastSuccess !== null) {
      this.#lastSuccess.set({ database }, toSeconds(lastSuccess.at));
      this.#sizeBytes.set({ database }, lastSuccess.sizeBytes);
    }
    if (lastProvenAt !== null) this.#lastProven.set({ database }, toSeconds(lastProvenAt));
    if (evidenceLevel !== null) this.#evidence.set({ database }, evidenceLevel);
  }
}

function toSeconds(time: Date): number {
  return time.getTime() / 1000;
}

function keyOf(event: EventName, databaseId: string): string {
  return `${event} ${databaseId}`;
}
