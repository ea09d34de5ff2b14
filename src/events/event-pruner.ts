import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { Between, LessThan, LessThanOrEqual } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { EventQueries } from './event-queries.js';
import { RecordedEvent } from './recorded-event.entity.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Removed in one transaction: others want to write meanwhile. */
const BATCH = 1000;

/** Keeps the list of events from growing for ever. Totals stay. */
@Injectable()
export class EventPruner implements OnApplicationBootstrap {
  readonly #log = new Logger('Events');
  #pruning = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly queries: EventQueries,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.prune();
  }

  /** Every hour; one that takes longer is not overtaken by the next. */
  @Cron(CronExpression.EVERY_HOUR)
  async prune(): Promise<void> {
    if (this.#pruning) return;
    this.#pruning = true;
    try {
      const before = new Date(this.clock.now().getTime() - this.config.eventKeepDays * DAY_MS);
      const removed = await this.#removeOlderThan(before);
      if (removed > 0) this.#log.log({ removed }, 'removed old events');
    } catch (error) {
      this.#log.error({ err: error }, 'old events could not be removed; trying again in an hour');
    } finally {
      this.#pruning = false;
    }
  }

  /**
   * From the oldest on, up to the first that is young: no clock that was wrong for an hour makes holes in the list. What says that it
   * comes from the future says nothing about its age: it goes with the old ones that were told after it.
   */
  async #removeOlderThan(before: Date): Promise<number> {
    const { read } = this.catalog;
    const [young] = await read.find(RecordedEvent, {
      select: { number: true },
      where: { at: Between(before, this.clock.now()) },
      order: { number: 'ASC' },
      take: 1,
    });
    const [old] = await read.find(RecordedEvent, {
      select: { number: true },
      where: { at: LessThan(before), ...(young !== undefined && { number: LessThan(young.number) }) },
      order: { number: 'DESC' },
      take: 1,
    });
    return old === undefined ? 0 : this.#removeUpTo(old.number);
  }

  async #removeUpTo(last: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const numbers = (await this.queries.after(0, BATCH)).map(({ number }) => number);
      const upTo = Math.min(last, numbers.at(-1) ?? 0);
      const batch = numbers.filter((number) => number <= upTo).length;
      if (batch === 0) return removed;
      await this.catalog.write((tx) => tx.delete(RecordedEvent, { number: LessThanOrEqual(upTo) }));
      removed += batch;
    }
  }
}
