import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { EventCounter, THE_COUNTER } from './event-counter.entity.js';
import type { EventName, SubjectKind } from './event-names.js';
import { EventTotal, NO_DATABASE } from './event-total.entity.js';
import { addToTotals } from './event-totals.js';
import { type EventFacts, RecordedEvent } from './recorded-event.entity.js';

/** Something that has just happened. */
export interface NewEvent {
  name: EventName;
  subject: { kind: SubjectKind; id: string };
  /** The registered database that it happened to; null when there is none, or no longer. */
  database: { id: string | null; name: string } | null;
  /** How long it took, where it took time; also counted in the totals. */
  durationMs?: number | undefined;
  /** How often it has happened, when one event tells of several times; else once. Only the totals count it. */
  times?: number | undefined;
  facts?: EventFacts;
}

/** An event that waits for the end of its transaction. */
type Pending = NewEvent & { at: Date };

/**
 * Writes events down in the transaction of the change that they tell of: who reads one finds the change, and no change is
 * without its event. Rooms below the edges write here; the edges (the stream, metrics, notifications) read.
 *
 * Numbers are given out by one row, `event_counter`, whose lock is held from the number to the commit. So an event that becomes
 * visible has a higher number than all that were visible before, on every dialect, and "everything after 41" misses nothing.
 * The lock is taken at the end of the transaction (see `Catalog.atEndOf`), whatever else that does after `append`.
 */
@Injectable()
export class EventLog {
  readonly #pending = new WeakMap<EntityManager, Pending[]>();

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
  ) {}

  /** Writes `event` when the transaction ends; nothing of it is seen when the transaction is rolled back. */
  append(tx: EntityManager, event: NewEvent): void {
    const stamped = { ...event, at: this.clock.now() };
    const waiting = this.#pending.get(tx);
    if (waiting !== undefined) {
      waiting.push(stamped);
      return;
    }
    const events = [stamped];
    this.#pending.set(tx, events);
    this.catalog.atEndOf(tx, () => write(tx, events));
  }
}

async function write(tx: EntityManager, events: readonly Pending[]): Promise<void> {
  await tx.increment(EventCounter, { id: THE_COUNTER }, 'lastNumber', events.length);
  const { lastNumber } = await tx.findOneByOrFail(EventCounter, { id: THE_COUNTER });
  const first = lastNumber - events.length + 1;
  await tx.insert(
    RecordedEvent,
    events.map((event, index) => toRow(event, first + index)),
  );
  await count(tx, events);
}

/** Read, add, write: nobody does the same at once, since we hold the counter. */
async function count(tx: EntityManager, events: readonly Pending[]): Promise<void> {
  const counted = events.map(({ name, database, durationMs, times }) => ({
    name,
    databaseId: database?.id ?? null,
    durationMs,
    times,
  }));
  const before = await tx.findBy(EventTotal, {
    eventName: In([...new Set(counted.map(({ name }) => name))]),
    databaseId: In([...new Set(counted.map(({ databaseId }) => databaseId ?? NO_DATABASE))]),
  });
  await tx.upsert(EventTotal, addToTotals(before, counted), ['eventName', 'databaseId']);
}

function toRow({ subject, database, durationMs, facts, ...event }: Pending, number: number): RecordedEvent {
  return {
    number,
    name: event.name,
    at: event.at,
    subjectKind: subject.kind,
    subjectId: subject.id,
    databaseId: database?.id ?? null,
    databaseName: database?.name ?? null,
    facts: { ...facts, ...(durationMs === undefined ? {} : { duration_seconds: durationMs / 1000 }) },
  };
}
