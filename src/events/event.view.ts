import type { EventName, SubjectKind } from './event-names.js';
import type { ProgressReport } from './progress-sources.js';
import type { EventFacts, RecordedEvent } from './recorded-event.entity.js';

/** One thing that happened: the `data` of an entry whose `event` is its name and whose `id` is its number. */
export class EventView {
  /**
   * In the order in which things happened, without holes; to go on behind it, send it as `Last-Event-ID`.
   * @example 4711
   */
  number: number;
  /**
   * What happened.
   * @example 'BackupCompleted'
   */
  name: EventName;
  /**
   * When.
   * @example '2026-11-21T03:00:41.200Z'
   */
  at: string;
  /**
   * What kind of thing it happened to.
   * @example 'backup'
   */
  subject_kind: SubjectKind;
  /**
   * Its id.
   * @example '019aa6a4-6f00-7000-8000-2f1f3c6b1d20'
   */
  subject_id: string;
  /**
   * The database that it belongs to; null when there is none.
   * @example '019aa6a4-5a10-7000-8000-0242ac120002'
   */
  database_id: string | null;
  /**
   * Under which it was registered then.
   * @example 'shop'
   */
  database_name: string | null;
  /**
   * More about it, depending on the name: `status`, `attempt`, `error_code`, `size_bytes`, `duration_seconds`, `reasons`, …
   * @example { "status": "completed", "size_bytes": 52428800, "duration_seconds": 41.2 }
   */
  facts: EventFacts;
}

export function toEventView(row: RecordedEvent): EventView {
  return {
    number: row.number,
    name: row.name,
    at: row.at.toISOString(),
    subject_kind: row.subjectKind,
    subject_id: row.subjectId,
    database_id: row.databaseId,
    database_name: row.databaseName,
    facts: row.facts,
  };
}

/** How far running work is: the `data` of an entry whose `event` is `Progress`. It has no id, and is not kept. */
export class ProgressEventView {
  /**
   * What kind of work runs.
   * @example 'backup'
   */
  subject_kind: SubjectKind;
  /**
   * Its id.
   * @example '019aa6a4-6f00-7000-8000-2f1f3c6b1d20'
   */
  subject_id: string;
  /**
   * The database that it belongs to; null when that is not registered.
   * @example '019aa6a4-5a10-7000-8000-0242ac120002'
   */
  database_id: string | null;
  /**
   * Name of that database.
   * @example 'shop'
   */
  database_name: string;
  /**
   * What it is doing.
   * @example 'dumping'
   */
  phase: string;
  /**
   * Bytes done in this phase.
   * @example 52428800
   */
  bytes: number;
  /**
   * Bytes to do in this phase, when known.
   * @example 104857600
   */
  bytes_total: number | null;
  /**
   * The table or collection being worked on.
   * @example 'public.orders'
   */
  item: string | null;
  /**
   * Tables or collections done.
   * @example 3
   */
  items_done: number;
  /**
   * Tables or collections in all, when known.
   * @example 12
   */
  items_total: number | null;
}

export function toProgressEventView(report: ProgressReport): ProgressEventView {
  return {
    subject_kind: report.subject.kind,
    subject_id: report.subject.id,
    database_id: report.database.id,
    database_name: report.database.name,
    phase: report.phase,
    bytes: report.bytes,
    bytes_total: report.bytesTotal,
    item: report.item,
    items_done: report.itemsDone,
    items_total: report.itemsTotal,
  };
}
