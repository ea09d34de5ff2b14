import { Readable } from 'node:stream';
import { callbackify } from 'node:util';

/**
 * The bytes of an object that was opened, from a medium that may never answer a read. No signal ends such a read, and a file is
 * closed only when it has ended: whoever ends the reading would wait for that without an end. So he is let go after a while, and the
 * medium is left to close the object when it can.
 */
export class WatchedBytes extends Readable {
  readonly #inner: Readable;
  readonly #letGo: (closed: Promise<void>) => Promise<void>;

  /** @param letGo resolves when `closed` does, or has taken too long */
  constructor(inner: Readable, letGo: (closed: Promise<void>) => Promise<void>) {
    super({ highWaterMark: inner.readableHighWaterMark });
    this.#inner = inner;
    this.#letGo = letGo;
    inner.pause(); // nothing is read before somebody wants it
    inner.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) inner.pause();
    });
    inner.once('end', () => this.push(null));
    // One that comes after we were let go tells nobody anything.
    inner.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callbackify(() => this.#close())(() => callback(error));
  }

  async #close(): Promise<void> {
    const inner = this.#inner;
    const closed = new Promise<void>((resolve) => {
      if (inner.closed) resolve();
      else inner.once('close', resolve);
    });
    inner.destroy();
    await this.#letGo(closed);
  }
}
