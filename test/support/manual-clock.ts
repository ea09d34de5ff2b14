import { Clock } from '../../src/clock/clock.ts';

interface Sleeper {
  untilMs: number;
  wake: () => void;
}

/** A clock that stands still until a test moves it. Wall time and monotonic time can move apart, as on real machines. */
export class ManualClock extends Clock {
  #elapsedMs = 0;
  #wallMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start = new Date('2026-11-21T03:00:00.000Z')) {
    super();
    this.#wallMs = start.getTime();
  }

  override now(): Date {
    return new Date(this.#wallMs);
  }

  override monotonicMs(): number {
    return this.#elapsedMs;
  }

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms <= 0) return;
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#elapsedMs + ms, wake: () => settle(resolve) };
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      const settle = (end: () => void): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        end();
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', abort);
    });
  }

  /** How many sleep now: a test waits for this to know that somebody has got to his sleep. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Time passes: both clocks move, and who has slept enough wakes. */
  advance(ms: number): void {
    this.#elapsedMs += ms;
    this.#wallMs += ms;
    for (const sleeper of [...this.#sleepers]) if (sleeper.untilMs <= this.#elapsedMs) sleeper.wake();
  }

  /** Somebody sets the machine's clock, forward or back; no time passes. */
  setWallTo(time: Date): void {
    this.#wallMs = time.getTime();
  }
}
