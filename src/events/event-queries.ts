import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { EventCounter, THE_COUNTER } from './event-counter.entity.js';
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

  /** How often everything has happened, also to databases that are no longer registered. */
  async totals(): Promise<EventTotal[]> {
    return this.catalog.read.find(EventTotal);
  }
}
