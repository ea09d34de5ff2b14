import type { Clock } from './clock.js';

/**
 * Runs `work` with a signal that also aborts when the time is over. A time-out is an abort that is awaited: the result is
 * known only when `work` itself has ended, so nothing goes on behind its back.
 * @param limit milliseconds, and the error to abort with; undefined for no limit
 * @throws limit.reason when the time was over, else what `work` throws
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limit: { ms: number; reason: Error } | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (limit === undefined) return work(signal);
  const timeout = new AbortController();
  const done = new AbortController();
  const timer = clock.sleep(limit.ms, done.signal).then(
    () => timeout.abort(limit.reason),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([signal, timeout.signal]));
  } catch (error) {
    throw timeout.signal.aborted && !signal.aborted ? limit.reason : error;
  } finally {
    done.abort();
    await timer;
  }
}
