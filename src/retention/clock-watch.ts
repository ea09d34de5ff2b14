import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type FindOptionsWhere, LessThan, MoreThan } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { RecordedEvent } from '../events/recorded-event.entity.js';

/** The two clocks of a machine do not part so far by themselves. */
const JUMP_MS = 10 * 60_000;
/** How long a clock that was put forward is not believed. */
const DOUBT_MS = 3_600_000;
/** Where backups are made daily, something is written down in every such time. */
const SILENCE_MS = 26 * 3_600_000;

/**
 * Keeps retention from believing a clock that has just been put forward: a year too far, and everything would be old. For an hour
 * after such a jump nothing is deleted by itself, so that somebody can put it right. (A machine that wakes from sleep looks the same,
 * and waits an hour too.)
 *
 * A machine may also start with such a clock. What the catalog has seen tells: when nothing is written down between long ago and
 * now, then either nobody was there, or the time between has never been; a service that was really off for days waits an hour too.
 */
@Injectable()
export class ClockWatch implements OnModuleInit {
  readonly #log = new Logger('Retention');
  #wallMs: number;
  #monotonicMs: number;
  #doubtUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
  ) {
    this.#wallMs = clock.now().getTime();
    this.#monotonicMs = clock.monotonicMs();
  }

  async onModuleInit(): Promise<void> {
    const nowMs = this.clock.now().getTime();
    const lastBefore = await this.#eventWhere({ at: LessThan(new Date(nowMs - DOUBT_MS)) }, 'DESC');
    if (lastBefore === undefined) return;
    // Of a start before this one, less than an hour ago: it had the same clock, and its events must not make it look steady.
    const firstAfter = await this.#eventWhere({ number: MoreThan(lastBefore.number) }, 'ASC');
    const sinceMs = Math.min(firstAfter?.at.getTime() ?? nowMs, nowMs);
    const silentMs = sinceMs - lastBefore.at.getTime();
    if (silentMs <= SILENCE_MS) return;
    this.#doubtUntilMs = this.clock.monotonicMs() + DOUBT_MS - (nowMs - sinceMs);
    const hours = Math.round(silentMs / 3_600_000);
    this.#log.warn(
      { hours, since: lastBefore.at },
      'nothing has happened for so long, or the clock is ahead; retention deletes nothing for an hour',
    );
  }

  isSteady(): boolean {
    const [wallMs, monotonicMs] = [this.clock.now().getTime(), this.clock.monotonicMs()];
    const jumpedMs = wallMs - this.#wallMs - (monotonicMs - this.#monotonicMs);
    [this.#wallMs, this.#monotonicMs] = [wallMs, monotonicMs];
    if (jumpedMs > JUMP_MS) {
      this.#doubtUntilMs = monotonicMs + DOUBT_MS;
      const seconds = Math.round(jumpedMs / 1000);
      this.#log.warn({ seconds }, 'the clock was put forward; retention deletes nothing for an hour');
    }
    return monotonicMs >= this.#doubtUntilMs;
  }

  async #eventWhere(
    where: FindOptionsWhere<RecordedEvent>,
    direction: 'ASC' | 'DESC',
  ): Promise<RecordedEvent | undefined> {
    const [event] = await this.catalog.read.find(RecordedEvent, {
      where,
      order: { number: direction },
      take: 1,
    });
    return event;
  }
}
