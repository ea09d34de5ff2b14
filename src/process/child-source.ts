import { Readable } from 'node:stream';

import { abortReason } from './abort-reason.js';
import type { Command, ExitReport } from './command.js';
import { type ChildWatch, RunningChild } from './running-child.js';

/** After the exit, how long a reader waits for bytes from a grandchild that kept stdout open. */
const LINGER_MS = 2000;
const CHUNK_BYTES = 64 * 1024;

/** A running tool whose stdout is being read. */
export interface ChildSource {
  /** Ends if and only if the tool exited 0 and its stdout was read to the end; otherwise destroyed with an error. */
  bytes: Readable;
  /** How it ended; never rejects. */
  exited: Promise<ExitReport>;
  pid: number;
}

/**
 * Starts a tool and gives its stdout with a **held-back end**. The end of stdout is not success: a tool may write 300 kB
 * and exit 3, and whoever then sees a clean end stores half a dump as a good one. So the end is kept back until the exit
 * code is known. Destroying the stream, or aborting the signal, ends the tool and all it started; the stream's `close`
 * comes when they are gone. Memory is bounded: nothing is read that nobody asked for.
 *
 * Rejects with `tool-not-started`, or with the signal's reason.
 */
export async function openChildSource(command: Command, watch: ChildWatch): Promise<ChildSource> {
  const child = await RunningChild.start(command, ['ignore', 'pipe', 'pipe'], watch);
  return { bytes: new HeldBackReadable(child, watch), exited: child.exited, pid: child.pid };
}

class HeldBackReadable extends Readable {
  readonly #child: RunningChild;
  readonly #stdout: Readable;
  readonly #watch: ChildWatch;
  readonly #onAbort = (): void => void this.destroy(abortReason(this.#watch.signal));
  readonly #closed = new AbortController();
  #isWanted = false;
  #bytesSeen = 0;

  constructor(child: RunningChild, watch: ChildWatch) {
    super({ highWaterMark: CHUNK_BYTES });
    const { stdout } = child.process;
    if (stdout === null) throw new TypeError('the child was started without a pipe for stdout');
    this.#child = child;
    this.#stdout = stdout;
    this.#watch = watch;
    stdout.on('readable', () => this.#flow());
    stdout.once('end', () => void this.#settle());
    stdout.once('error', (error) => this.destroy(error));
    void this.#failEarly();
    watch.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (watch.signal.aborted) this.#onAbort();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#flow();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#watch.signal.removeEventListener('abort', this.#onAbort);
    this.#closed.abort();
    this.#stdout.destroy();
    void this.#afterStop(error, callback);
  }

  /** The stream's `close` comes when the child and all it started are gone. */
  async #afterStop(error: Error | null, callback: (error?: Error | null) => void): Promise<void> {
    await this.#child.stop();
    callback(error);
  }

  #flow(): void {
    while (this.#isWanted) {
      const chunk: unknown = this.#stdout.read();
      if (!(chunk instanceof Buffer)) return; // null: nothing there yet
      this.#bytesSeen += chunk.length;
      this.#isWanted = this.push(chunk);
    }
  }

  /** Stdout is read to its end: what that means is said by the exit code alone. */
  async #settle(): Promise<void> {
    const report = await this.#child.exited;
    if (this.destroyed) return;
    if (this.#child.isGood(report)) this.push(null);
    else this.destroy(this.#child.failure(report));
  }

  /** A bad exit is told at once, not after the rest was read; a good one must be followed by the end of stdout. */
  async #failEarly(): Promise<void> {
    const report = await this.#child.exited;
    if (!this.#child.isGood(report)) {
      this.destroy(this.#child.failure(report));
      return;
    }
    if (!this.destroyed && !this.#stdout.readableEnded) await this.#awaitLateOutput(report);
  }

  async #awaitLateOutput(report: ExitReport): Promise<void> {
    for (;;) {
      const before = this.#bytesSeen;
      const wasWanted = this.#isWanted;
      try {
        await this.#watch.clock.sleep(LINGER_MS, this.#closed.signal);
      } catch {
        return; // closed meanwhile, by its end or by somebody
      }
      if (this.#stdout.readableEnded) return;
      if (wasWanted && this.#isWanted && this.#bytesSeen === before) {
        this.destroy(this.#child.failure(report, 'exited, but something it started holds its output open'));
      }
    }
  }
}
