import type { Clock } from '../clock/clock.js';
import type { EngineCall } from './engine.js';

/** A call that may be asked to show that it is not dead. */
export interface LivingCall {
  signal: AbortSignal;
  clock: Clock;
  life?: EngineCall['life'];
}

/**
 * Waits for `work`, and meanwhile asks, as often as `EngineCall.life` wants it, whether somebody is at work for the call; at each
 * yes the caller is told. An answer that does not come, or is an error, is none: who hangs answers nobody.
 *
 * @param isAtWork its signal aborts when the work is over, or the call
 */
export async function showingLife<T>(
  { life, clock, signal }: LivingCall,
  work: Promise<T>,
  isAtWork: (over: AbortSignal) => Promise<boolean>,
): Promise<T> {
  if (life === undefined) return work;
  const done = new AbortController();
  const over = AbortSignal.any([signal, done.signal]);
  const asking = (async (): Promise<void> => {
    while (!over.aborted) {
      await clock.sleep(life.everyMs, over).catch(() => undefined);
      if (!over.aborted && (await isAtWork(over).catch(() => false))) life.tell();
    }
  })();
  try {
    return await work;
  } finally {
    done.abort();
    await asking;
  }
}
