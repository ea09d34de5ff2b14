/** How failed attempts are tried again. */
export interface RetryPolicy {
  maxAttempts: number;
  /** Pause after the first failed attempt, in milliseconds; doubles with each further one. */
  backoffMs: number;
}

/** No pause grows beyond this: a server that is back should not wait for an hour. */
const LONGEST_PAUSE_MS = 15 * 60_000;

/**
 * For questions that must be answered before anything else may happen: what was a dead attempt worth, what is left on a server?
 * Giving up would be to call a backup bad that may be good, so it is asked until it is answered, less and less often.
 */
export const ASK_AGAIN: RetryPolicy = { maxAttempts: Number.POSITIVE_INFINITY, backoffMs: 15_000 };

export type RetryPlan = { again: true; at: Date } | { again: false };

/**
 * Decides whether a failed attempt is followed by another. Pure.
 * @param attempt number of the attempt that failed, from 1
 * @param retryable whether its error may pass by itself
 */
export function planRetry(policy: RetryPolicy, attempt: number, retryable: boolean, now: Date): RetryPlan {
  if (!retryable || attempt >= policy.maxAttempts) return { again: false };
  const pauseMs = Math.min(policy.backoffMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  return { again: true, at: new Date(now.getTime() + pauseMs) };
}
