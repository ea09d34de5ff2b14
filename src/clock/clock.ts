/**
 * The only door to time. Rules take a `Date`; whoever runs them asks the clock. Tests inject their own, so that an
 * hour passes at once. Lint forbids `Date.now`, `new Date()` and bare timers elsewhere.
 */
export abstract class Clock {
  /** Wall time, for records. May jump in both directions. */
  abstract now(): Date;

  /** Milliseconds from an arbitrary start that never go back, for durations, stalls and heartbeats. */
  abstract monotonicMs(): number;

  /**
   * Resolves after `ms` milliseconds. With a signal it rejects with the signal's reason as soon as that aborts, and
   * leaves no timer behind.
   */
  abstract sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
