import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { basename } from 'node:path';

import type { Clock } from '../clock/clock.js';
import { childEnvironment } from './child-environment.js';
import type { Command, ExitReport } from './command.js';
import { ToolFailedError, ToolNotStartedError } from './process.errors.js';
import { StderrTail } from './stderr-tail.js';

/** From SIGTERM to SIGKILL. Tools of PostgreSQL use it to cancel their queries on the server. */
const TERM_GRACE_MS = 2000;
/** How long stderr may stay open after the exit, for a grandchild that inherited it. */
const STDERR_GRACE_MS = 1000;
/**
 * After the tool itself is gone, for what it started. Short, because a member that nobody has reaped yet looks like a living
 * one, and SIGKILL cannot be refused.
 */
const GROUP_GRACE_MS = 200;
const POLL_MS = 10;

/** How one child is watched and ended. */
export interface ChildWatch {
  clock: Clock;
  signal: AbortSignal;
  /** Each line of stderr, scrubbed. Must not throw. */
  onLine?: (line: string) => void;
  /** Whether an end is a good one; by default exit code 0. */
  accepts?: (report: ExitReport) => boolean;
  /**
   * Makes the error of a bad end; by default a {@link ToolFailedError}. `unmet` says what a child that ended well did not do,
   * as the rest of a sentence that begins with its name.
   */
  failure?: (report: ExitReport, unmet?: string) => Error;
}

/**
 * One child process in a process group of its own, so that whatever it starts ends with it. Knows when it is gone and what
 * it said; the streams of its bytes are the business of `child-source.ts` and `child-sink.ts`.
 */
export class RunningChild {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves when the child is gone and its stderr is read; never rejects. */
  readonly exited: Promise<ExitReport>;
  /** Set as soon as `exited` is. */
  report: ExitReport | undefined;

  readonly #command: Command;
  readonly #watch: ChildWatch;
  readonly #stderr: StderrTail;
  #leaderGone = false;
  /** After the leader is reaped its number may be given to others; we signal only while a member keeps the group alive. */
  #groupGone = false;
  #stopping: Promise<void> | undefined;

  /**
   * Starts `command`, by way of a launcher that becomes the tool when one is given. Rejects with the signal's reason when
   * that aborted before, and with `tool-not-started` when the operating system refuses.
   */
  static async start(
    command: Command,
    stdio: StdioOptions,
    watch: ChildWatch,
    launcher: readonly string[] = [],
  ): Promise<RunningChild> {
    watch.signal.throwIfAborted();
    await mustBeExecutable(command.file);
    const [file = command.file, ...args] = [...launcher, command.file, ...command.args];
    const child = spawn(file, args, {
      cwd: command.cwd ?? '/',
      env: childEnvironment(command.env),
      detached: true,
      stdio,
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw new ToolNotStartedError(basename(command.file), error);
    }
    return new RunningChild(child, command, watch);
  }

  private constructor(child: ChildProcess, command: Command, watch: ChildWatch) {
    if (child.pid === undefined)
      throw new ToolNotStartedError(basename(command.file), 'it has no process id');
    this.process = child;
    this.pid = child.pid;
    this.#command = command;
    this.#watch = watch;
    this.#stderr = new StderrTail(command.secrets, watch.onLine);
    this.exited = this.#awaitExit();
  }

  /** Whether the child did what it should, going by its exit alone. */
  isGood(report: ExitReport): boolean {
    return this.#watch.accepts?.(report) ?? report.code === 0;
  }

  /** The error for a bad end, in the words of whoever started the child. */
  failure(report: ExitReport, unmet?: string): Error {
    return this.#watch.failure?.(report, unmet) ?? new ToolFailedError(this.name, report, unmet);
  }

  get name(): string {
    return basename(this.#command.file);
  }

  /**
   * Ends the child and everything it started: SIGTERM, after 2 s SIGKILL. Resolves when the child is gone. May be called
   * at any time and any number of times; after a good end it only sweeps what the child left running.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#signalGroup('SIGTERM');
    await this.#endsWithin(TERM_GRACE_MS, () => this.#leaderGone);
    await this.#endsWithin(GROUP_GRACE_MS, () => this.#isGroupGone());
    this.#signalGroup('SIGKILL');
    await this.exited;
  }

  async #endsWithin(graceMs: number, isGone: () => boolean): Promise<void> {
    const { clock } = this.#watch;
    const deadline = clock.monotonicMs() + graceMs;
    while (!isGone() && clock.monotonicMs() < deadline) await clock.sleep(POLL_MS);
  }

  #isGroupGone(): boolean {
    this.#signalGroup(0);
    return this.#groupGone;
  }

  #signalGroup(signal: NodeJS.Signals | 0): void {
    if (this.#groupGone) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // ESRCH: nobody is left. EPERM: what is left is not ours (macOS says so for zombies).
      if (this.#leaderGone) this.#groupGone = true;
    }
  }

  async #awaitExit(): Promise<ExitReport> {
    const stderrClosed = this.#readStderr();
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.process.once('exit', (...end) => {
        this.#leaderGone = true;
        // What a failed child left behind is of no use, and may hold its stderr open.
        this.#signalGroup(end[0] === 0 ? 0 : 'SIGTERM');
        resolve(end);
      });
    });
    await this.#withGrace(stderrClosed);
    this.report = { code, signal, stderr: this.#stderr.text, lines: this.#stderr.lines };
    return this.report;
  }

  #readStderr(): Promise<void> {
    const { stderr } = this.process;
    if (stderr === null) return Promise.resolve();
    stderr.on('data', (chunk: Buffer) => this.#stderr.write(chunk));
    stderr.on('error', () => undefined); // 'close' follows; how the child ended is said by its exit
    return new Promise((resolve) => {
      stderr.once('close', () => {
        this.#stderr.end();
        resolve();
      });
    });
  }

  async #withGrace(stderrClosed: Promise<void>): Promise<void> {
    const enough = new AbortController();
    const grace = this.#watch.clock.sleep(STDERR_GRACE_MS, enough.signal).catch(() => undefined);
    await Promise.race([stderrClosed, grace]);
    enough.abort();
    this.process.stderr?.destroy();
  }
}

/** A launcher would say "not found" with an exit code; we say it before, and the same way for everybody. */
async function mustBeExecutable(file: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch (error) {
    throw new ToolNotStartedError(basename(file), error);
  }
}
