import { Readable } from 'node:stream';

import { abortReason } from '../../process/abort-reason.js';

/** Takes bytes for a stream, at the pace of whoever reads it. */
export interface Feed {
  /**
   * Waits until the reader wants bytes, and puts into the stream what `make` then gives, with nothing between. `make` is called
   * once, and in the order of the stream, however many writers there are. Rejects when the stream was destroyed.
   */
  write(make: () => readonly Uint8Array[]): Promise<void>;
  /** Destroys the stream at once, for a failure of one part of the work while others wait for the reader. */
  fail(error: unknown): void;
  /** Aborts when the stream is destroyed, with the error as its reason. */
  signal: AbortSignal;
}

/**
 * A stream that a function feeds. It ends if and only if the function resolved; when that rejects the stream is destroyed with the
 * error. Destroying it, or aborting `signal`, aborts the feed, and `close` comes when the function has settled, so that nothing of it
 * is left then. Nothing is fed before somebody reads.
 */
export class FedReadable extends Readable {
  readonly #work: (feed: Feed) => Promise<void>;
  readonly #outer: AbortSignal;
  readonly #ending = new AbortController();
  readonly #onAbort = (): void => void this.destroy(abortReason(this.#outer));
  #running: Promise<void> | undefined;
  /** Closed while the reader has enough. */
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(work: (feed: Feed) => Promise<void>, signal: AbortSignal) {
    super({ highWaterMark: 64 * 1024 });
    this.#work = work;
    this.#outer = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  override _read(): void {
    this.#openGate();
    this.#running ??= this.#run();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#outer.removeEventListener('abort', this.#onAbort);
    this.#ending.abort(error ?? new Error('the stream was destroyed'));
    this.#openGate();
    void this.#afterWork(error, callback);
  }

  async #afterWork(error: Error | null, callback: (error?: Error | null) => void): Promise<void> {
    await this.#running;
    callback(error);
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      await this.#work({
        write: (make) => this.#write(make),
        fail: (error) => this.#fail(error),
        signal: this.#ending.signal,
      });
      if (!this.destroyed) this.push(null);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  async #write(make: () => readonly Uint8Array[]): Promise<void> {
    while (this.#gate !== undefined) await this.#gate.promise;
    this.#ending.signal.throwIfAborted();
    let isWanted = true;
    for (const piece of make()) if (piece.length > 0) isWanted = this.push(piece);
    if (!isWanted && !this.destroyed) this.#gate ??= Promise.withResolvers<void>();
  }

  #openGate(): void {
    const gate = this.#gate;
    this.#gate = undefined;
    gate?.resolve();
  }
}
