import { Injectable } from '@nestjs/common';
import { In, MoreThan } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { EventCounter, THE_COUNTER } from './event-counter.entity.js';
import { EVENT_NAMES, type EventName } from './event-names.js';
import { EventTotal } from './event-total.entity.js';
import { RecordedEvent } from './recorded-event.entity.js';

/** How long an answer to "which is the newest?" serves all who ask, in milliseconds. */
const NEWEST_FOR_MS = 100;

/** Reads what has happened. */
@Injectable()
export class EventQueries {
  #newest: { untilMs: number; number: Promise<number> } | undefined;

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
  ) {}

  /** The number of the newest event, 0 when there was none. */
  async newest(): Promise<number> {
    const counter = await this.catalog.read.findOneByOrFail(EventCounter, { id: THE_COUNTER });
    return counter.lastNumber;
  }

  /** The same, as it was a tenth of a second ago at most: one question for all who ask again and again. */
  async newestOfLate(): Promise<number> {
    const nowMs = this.clock.monotonicMs();
    if (this.#newest === undefined || this.#newest.untilMs <= nowMs) {
      this.#newest = { untilMs: nowMs + NEWEST_FOR_MS, number: this.newest() };
    }
    return this.#newest.number;
  }

  /** At most `take` events in their order, from the one after `after` on. */
  async after(after: number, take: number): Promise<RecordedEvent[]> {
    return this.catalog.read.find(RecordedEvent, {
      where: { number: MoreThan(after) },
      order: { number: 'ASC' },
      take,
    });
  }

  /** How often these things have happened, also to databases that are no longer registered; of all things when none are named. */
  async totals(names: readonly EventName[] = EVENT_NAMES): Promise<EventTotal[]> {
    // Rows as they are: for thousands of them, making entities takes longer than reading.
    const rows = await this.catalog.read
      .createQueryBuilder(EventTotal, 't')
      .select(['t.event_name AS name', 't.database_id AS id', 't.count AS count'])
      .addSelect(['t.duration_ms AS ms', 't.duration_buckets AS buckets'])
      .where({ eventName: In([...names]) })
      .getRawMany<{ name: EventName; id: string; count: string; ms: string; buckets: string }>();
    return rows.map(({ name, id, count, ms, buckets }) => ({
      eventName: name,
      databaseId: id,
      count: Number(count),
      durationMs: Number(ms),
      durationBuckets: toNumbers(JSON.parse(buckets)),
    }));
  }
}

function toNumbers(list: unknown): number[] {
  return Array.isArray(list) ? list.map(Number) : [];
}
