import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../clock/clock.js';

/** The two clocks of a machine do not part so far by themselves. */
const JUMP_MS = 10 * 60_000;
/** How long a clock that was put forward is not believed. */
const DOUBT_MS = 3_600_000;

/**
 * Keeps retention from believing a clock that has just been put forward: a year too far, and everything would be old. For an hour
 * after such a jump nothing is deleted by itself, so that somebody can put it right. (A machine that wakes from sleep looks the same,
 * and waits an hour too.)
 */
@Injectable()
export class ClockWatch {
  readonly #log = new Logger('Retention');
  #wallMs: number;
  #monotonicMs: number;
  #doubtUntilMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Clock) {
    this.#wallMs = clock.now().getTime();
    this.#monotonicMs = clock.monotonicMs();
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
}
