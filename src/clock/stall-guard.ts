import type { Clock } from './clock.js';

/** How many times in its limit whoever works must be able to show life. */
const SIGNS_PER_LIMIT = 4;
const MOST_EVERY_MS = 30_000;

/**
 * Ends work that shows no life. It is for waiting that has no natural limit: a large table is counted for hours, and an index
 * is built for hours, without one byte moving; that is well as long as somebody sees that the server is at it. Counts
 * monotonic time, so that setting the machine's clock neither ends work nor keeps a dead one.
 */
export class StallGuard {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #reason: () => Error;
  readonly #stalled = new AbortController();
  #lastMs: number;

  /** @param limit how long work may show nothing, and the error that it is ended with then */
  constructor(clock: Clock, limit: { ms: number; reason: () => Error }) {
    this.#clock = clock;
    this.#limitMs = limit.ms;
    this.#reason = limit.reason;
    this.#lastMs = clock.monotonicMs();
  }

  /** Aborts with the reason when the time is over. The work must obey it; give it to the work when it begins. */
  get signal(): AbortSignal {
    return this.#stalled.signal;
  }

  /** How often life should be shown, so that not every delay ends the work. */
  get everyMs(): number {
    return Math.min(this.#limitMs / SIGNS_PER_LIMIT, MOST_EVERY_MS);
  }

  /** The work goes on. */
  readonly alive = (): void => {
    this.#lastMs = this.#clock.monotonicMs();
  };

  /**
   * Gives what `work` gives. Watches from now on; when nothing shows life for too long it aborts `signal`, and still waits
   * for the work's end, so that nothing goes on behind its back.
   * @throws the reason when it was aborted, else what `work` throws
   */
  async watch<T>(work: Promise<T>): Promise<T> {
    const done = new AbortController();
    this.alive();
    const watching = this.#wait(done.signal);
    try {
      return await work;
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : error;
    } finally {
      done.abort();
      await watching;
    }
  }

  async #wait(done: AbortSignal): Promise<void> {
    while (!done.aborted && !this.signal.aborted) {
      const leftMs = this.#lastMs + this.#limitMs - this.#clock.monotonicMs();
      if (leftMs <= 0) this.#stalled.abort(this.#reason());
      else await this.#clock.sleep(leftMs, done).catch(() => undefined);
    }
  }
}
