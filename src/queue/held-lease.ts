import type { Lease } from './queue.js';
import type { Claim } from './ticket-store.js';

/** A lease as the process that holds it sees it: the part that no row knows. */
export class HeldLease {
  readonly lease: Lease;
  /** Settles, never rejects, when the runner has ended and the ticket is finished or released. */
  ended: Promise<void> = Promise.resolve();
  readonly #abort = new AbortController();

  constructor(
    claim: Claim,
    /** Monotonic milliseconds until which nobody else may take the ticket. */
    public untilMs: number,
  ) {
    this.lease = { ...claim, signal: this.#abort.signal };
  }

  /** Tells the runner to end; the first reason stays. */
  abort(reason: Error): void {
    this.#abort.abort(reason);
  }
}
