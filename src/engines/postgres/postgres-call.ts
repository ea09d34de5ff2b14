import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../clock/clock.js';
import type { ExitReport } from '../../process/command.js';
import type { ChildWatch } from '../../process/running-child.js';
import type { Connection, EngineCall } from '../engine.js';
import { readToolFailure } from './error-reading.js';
import { PostgresSession } from './postgres-session.js';
import { openToolAccess, type ToolAccess } from './tool-access.js';
import type { EngineError } from '../engines.errors.js';

/** How long ending what a failed call left on the server may take. Below the 5 s that an abort has. */
const CLEAN_UP_MS = 2500;

/** What every call of the engine needs besides its arguments. */
export interface PostgresSurroundings {
  clock: Clock;
  /** Private temporary files go below this folder. */
  workDir: string;
}

/**
 * Everything that one call of the engine opens, and the duty to close it: sessions, the folder with credentials, and after a
 * failure also backends that the server still runs for us. All of them bear one application name, by which they are found.
 */
export class PostgresCall implements AsyncDisposable {
  readonly connection: Connection;
  readonly applicationName = `backstop ${randomBytes(4).toString('hex')}`;
  readonly #call: EngineCall;
  readonly #surroundings: PostgresSurroundings;
  readonly #open = new AsyncDisposableStack();
  /** Set until the call has done all it should: then nothing of it can be left on the server. */
  #isUnfinished = true;
  /** Nothing can be left on a server that we never reached. */
  #wasConnected = false;
  #access: Promise<ToolAccess> | undefined;

  constructor(connection: Connection, call: EngineCall, surroundings: PostgresSurroundings) {
    this.connection = connection;
    this.#call = call;
    this.#surroundings = surroundings;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get life(): EngineCall['life'] {
    return this.#call.life;
  }

  get clock(): Clock {
    return this.#surroundings.clock;
  }

  /** A new session, by default in the connection's own database; closed with the call. */
  async session(databaseName: string = this.connection.databaseName): Promise<PostgresSession> {
    const connection = { ...this.connection, databaseName };
    const session = await PostgresSession.open(connection, {
      applicationName: this.applicationName,
      signal: this.signal,
      clock: this.clock,
      onAnswer: () => this.life?.tell(),
    });
    this.#wasConnected = true;
    this.#open.defer(() => session.close());
    return session;
  }

  /** Credentials for client tools; removed with the call. */
  async access(): Promise<ToolAccess> {
    this.#access ??= openToolAccess(this.connection, this.#surroundings.workDir, this.applicationName);
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
        this.#call.onLog?.(line);
        onLine?.(line);
      },
      failure: (report: ExitReport, unmet?: string) =>
        unmet === undefined ? readToolFailure(report, this.connection, otherwise) : otherwise(unmet, report),
    };
  }

  /** The call did all that it should. */
  finish(): void {
    this.#isUnfinished = false;
  }

  /** Closes everything. After an unfinished call also ends what the server still does for it. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
    if (this.#isUnfinished && this.#wasConnected) await this.#endBackends().catch(() => undefined);
  }

  /**
   * A backend that is busy does not notice that its client is gone. The connection that ends it has its own signal: the
   * call's may be aborted already.
   */
  async #endBackends(): Promise<void> {
    const late = new AbortController();
    const done = new AbortController();
    this.clock.sleep(CLEAN_UP_MS, done.signal).then(
      () => late.abort(new Error('too late')),
      () => undefined,
    );
    try {
      const session = await PostgresSession.open(this.connection, {
        applicationName: `${this.applicationName} end`,
        signal: late.signal,
        clock: this.clock,
      });
      await session.query(
        'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE application_name = $1',
        [this.applicationName],
      );
      await session.close();
    } finally {
      done.abort();
    }
  }
}
