import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../clock/clock.js';
import { withTimeLimit } from '../../clock/time-limit.js';
import type { ExitReport } from '../../process/command.js';
import { describeExit } from '../../process/process.errors.js';
import type { ChildWatch } from '../../process/running-child.js';
import type { Connection, EngineCall } from '../engine.js';
import type { EngineError } from '../engines.errors.js';
import { readToolText } from './mongo-error-reading.js';
import { MongoSession } from './mongo-session.js';
import { openToolAccess, type ToolAccess } from './tool-access.js';

/** How long undoing what a failed call made on the server may take. Below the 5 s that an abort has. */
const CLEAN_UP_MS = 3000;

/** What every call of the engine needs besides its arguments. */
export interface MongoSurroundings {
  clock: Clock;
  /** Private temporary files go below this folder. */
  workDir: string;
}

/** Everything that one call of the engine opens, and the duty to close it: sessions, and the folder with credentials. */
export class MongoCall implements AsyncDisposable {
  readonly connection: Connection;
  readonly applicationName = `backstop ${randomBytes(4).toString('hex')}`;
  readonly #call: EngineCall;
  readonly #surroundings: MongoSurroundings;
  readonly #open = new AsyncDisposableStack();
  #access: Promise<ToolAccess> | undefined;

  constructor(connection: Connection, call: EngineCall, surroundings: MongoSurroundings) {
    this.connection = connection;
    this.#call = call;
    this.#surroundings = surroundings;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get clock(): Clock {
    return this.#surroundings.clock;
  }

  get life(): EngineCall['life'] {
    return this.#call.life;
  }

  get onProgress(): EngineCall['onProgress'] {
    return this.#call.onProgress;
  }

  log(line: string): void {
    this.#call.onLog?.(line);
  }

  /** A new session; closed with the call. */
  async session(connection = this.connection): Promise<MongoSession> {
    const session = await MongoSession.open(
      connection,
      this.applicationName,
      this.signal,
      this.#surroundings.clock,
    );
    this.#open.use(session);
    return session;
  }

  /** Credentials for the tools, which are told whether to speak TLS; removed with the call. */
  async access(usesTls: boolean): Promise<ToolAccess> {
    this.#access ??= openToolAccess(this.connection, this.#surroundings.workDir, {
      applicationName: this.applicationName,
      usesTls,
    });
    const access = await this.#access;
    this.#open.defer(() => access.remove());
    return access;
  }

  /** A private folder (0700) below `parent`; removed with the call. */
  async folderIn(parent: string): Promise<string> {
    const folder = await mkdtemp(join(parent, 'restore-'));
    this.#open.defer(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Watches a tool: its lines go to the call's log and to `onLine`, its failure becomes an error of ours. */
  watch(
    otherwise: (reason: string, report: ExitReport) => EngineError,
    onLine?: (line: string) => void,
  ): ChildWatch {
    return {
      clock: this.clock,
      signal: this.signal,
      onLine: (line) => {
        this.log(line);
        onLine?.(line);
      },
      failure: (report, unmet) => {
        if (unmet !== undefined) return otherwise(unmet, report);
        return readToolText(report.stderr, this.connection, (reason) =>
          otherwise(reason === '' ? describeExit(report) : reason, report),
        );
      },
    };
  }

  /**
   * Undoes, in a session and a time of its own, what a failed call made on the server: the call's own signal may be aborted.
   * Never rejects; what cannot be undone is for the caller's caller, who drops the database.
   */
  async undo(work: (session: MongoSession) => Promise<void>): Promise<void> {
    const limit = { ms: CLEAN_UP_MS, reason: new Error('too late') };
    try {
      await withTimeLimit(this.clock, limit, new AbortController().signal, async (signal) => {
        await using session = await MongoSession.open(
          this.connection,
          this.applicationName,
          signal,
          this.clock,
        );
        await work(session);
      });
    } catch {
      this.log('backstop: what was loaded before the failure could not be removed');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}
