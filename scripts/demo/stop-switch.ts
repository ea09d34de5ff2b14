import type { WriteStream } from 'node:tty';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Somebody asked for the end; nothing is wrong. */
export class StopRequestedError extends Error {
  /** What a shell expects of a program that was stopped before it was through. */
  readonly exitCode: number;

  constructor(signal: keyof typeof SIGNALS) {
    super(signal === 'SIGINT' ? 'Ctrl-C' : signal);
    this.name = 'StopRequestedError';
    this.exitCode = SIGNALS[signal];
  }
}

/**
 * The one place from which everything is ended. Its signal aborts when the process is asked to end, when nobody reads what
 * it prints any more, or when `pull` is called. A second request ends the process at once, by way of its `exit` listeners.
 */
export class StopSwitch {
  readonly #controller = new AbortController();
  readonly #out: WriteStream;
  readonly #onSignal = (name: NodeJS.Signals): void => {
    const request = new StopRequestedError(name as keyof typeof SIGNALS);
    if (this.#controller.signal.aborted) process.exit(request.exitCode);
    this.pull(request);
  };
  readonly #onDeadOutput = (): void => this.pull(new StopRequestedError('SIGHUP'));

  constructor(out: WriteStream) {
    this.#out = out;
    for (const name of Object.keys(SIGNALS)) process.on(name, this.#onSignal);
    // As after `| head`: writing goes on to fail, which must not end us before we have cleaned up.
    out.on('error', this.#onDeadOutput);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Only the first reason counts. */
  pull(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Resolves when it has been pulled. */
  async pulled(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
  }

  /** Gives the process's signals back, once there is nothing left to clean up. */
  release(): void {
    for (const name of Object.keys(SIGNALS)) process.off(name, this.#onSignal);
    this.#out.off('error', this.#onDeadOutput);
  }
}
