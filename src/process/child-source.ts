import { Readable } from 'node:stream';

import { abortReason } from './abort-reason.js';
import type { Command, ExitReport } from './command.js';
import { allocateExpendable, freeNow } from './expendable-buffers.js';
import { type ChildWatch, RunningChild } from './running-child.js';

/** After the exit, how long a reader waits for bytes from a grandchild that kept stdout open. */
const LINGER_MS = 2000;
/**
 * What is given at a time. A tool writes 4 kB at once and we are woken for each, so that 840 MB came in 90,000 pieces of 9 kB
 * (measured), and whatever a stream of Node costs for a piece was paid 90,000 times at each of its stages.
 */
const BLOCK_BYTES = 256 * 1024;
/** A tool that writes little is not kept waiting for a whole block: whoever watches for a stall must see what moves. */
const GATHER_MS = 100;

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
 * comes when they are gone. Memory is bounded: nothing is read that nobody asked for. With `expendable` the chunks are such as
 * `expendable-buffers.ts` tells of.
 *
 * Rejects with `tool-not-started`, or with the signal's reason.
 */
export async function openChildSource(
  command: Command,
  watch: ChildWatch,
  how: { expendable?: boolean } = {},
): Promise<ChildSource> {
  const child = await RunningChild.start(command, ['ignore', 'pipe', 'pipe'], watch);
  const allocate = how.expendable ? allocateExpendable : allocateOrdinary;
  return { bytes: new HeldBackReadable(child, watch, allocate), exited: child.exited, pid: child.pid };
}

function allocateOrdinary(sizeBytes: number): Buffer {
  return Buffer.allocUnsafeSlow(sizeBytes);
}

class HeldBackReadable extends Readable {
  readonly #child: RunningChild;
  readonly #stdout: Readable;
  readonly #watch: ChildWatch;
  readonly #onAbort = (): void => void this.destroy(abortReason(this.#watch.signal));
  readonly #closed = new AbortController();
  readonly #allocate: (sizeBytes: number) => Buffer;
  #isWanted = false;
  #bytesSeen = 0;
  /** The block that is being filled, and how far it is. */
  #block: Buffer | undefined;
  #gathered = 0;
  #isGivingSoon = false;

  constructor(child: RunningChild, watch: ChildWatch, allocate: (sizeBytes: number) => Buffer) {
    super({ highWaterMark: BLOCK_BYTES });
    const { stdout } = child.process;
    if (stdout === null) throw new TypeError('the child was started without a pipe for stdout');
    this.#child = child;
    this.#stdout = stdout;
    this.#watch = watch;
    this.#allocate = allocate;
    stdout.on('data', (chunk: Buffer) => this.#gather(chunk)).pause();
    stdout.once('end', () => void this.#settle());
    stdout.once('error', (error) => this.destroy(error));
    void this.#failEarly();
    watch.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (watch.signal.aborted) this.#onAbort();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#stdout.resume();
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

  #gather(chunk: Buffer): void {
    this.#bytesSeen += chunk.length;
    for (let taken = 0; taken < chunk.length;) {
      // Fresh each time: whoever reads keeps what it was given.
      this.#block ??= this.#allocate(BLOCK_BYTES);
      const copied = chunk.copy(this.#block, this.#gathered, taken);
      taken += copied;
      this.#gathered += copied;
      if (this.#gathered === BLOCK_BYTES) this.#give();
    }
    freeNow(chunk); // Node made it for this one read, and nobody else has seen it
    if (this.#gathered > 0 && !this.#isGivingSoon) void this.#giveSoon();
  }

  #give(): void {
    if (this.#block === undefined || this.#gathered === 0) return;
    const block = this.#block.subarray(0, this.#gathered);
    this.#block = undefined;
    this.#gathered = 0;
    this.#isWanted = this.push(block);
    if (!this.#isWanted) this.#stdout.pause();
  }

  /** Gives, in a while, what there is of a block then. */
  async #giveSoon(): Promise<void> {
    this.#isGivingSoon = true;
    await this.#watch.clock.sleep(GATHER_MS, this.#closed.signal).catch(() => undefined);
    this.#isGivingSoon = false;
    if (!this.destroyed) this.#give();
  }

  /** Stdout is read to its end: what that means is said by the exit code alone. */
  async #settle(): Promise<void> {
    this.#give();
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
