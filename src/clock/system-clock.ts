import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { Clock } from './clock.js';

/** Node's timers hold 32 bits: whoever asks for more is woken after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
@Injectable()
export class SystemClock extends Clock {
  override now(): Date {
    return new Date();
  }

  override monotonicMs(): number {
    return performance.now();
  }

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      let leftMs = ms;
      for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) {
        await delay(LONGEST_TIMER_MS, undefined, signal ? { signal } : undefined);
      }
      await delay(leftMs, undefined, signal ? { signal } : undefined);
    } catch (error) {
      // timers/promises rejects with its own AbortError; callers compare with the reason they gave.
      if (signal?.aborted) throw signal.reason;
      throw error;
    }
  }
}
