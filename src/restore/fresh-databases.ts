import { Injectable, Logger } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { withTimeLimit } from '../clock/time-limit.js';
import type { Connection, EngineDatabases } from '../engines/engine.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { reached } from '../process/phase-points.js';
import { RestoreMoves } from './restore-moves.js';
import { ownerOf } from './restore-names.js';
import { RestoreTargets } from './restore-targets.js';
import type { Restore } from './restore.entity.js';
import { ServerStepTimeoutError } from './restore.errors.js';

/** Longest time that a step on the server may take that nobody can cancel. */
const STEP_SECONDS = 60;
/** The same for renaming on a server that copies every document for it. */
const COPYING_STEP_SECONDS = 6 * 3600;

/** The server of one restore, with its whole databases. Its steps are bounded in time, and are not cancelled with the work. */
export interface RestoreServer {
  databases: EngineDatabases;
  connection: Connection;
}

/** Removes databases that restores made and nobody wants any more. */
@Injectable()
export class FreshDatabases {
  readonly #log = new Logger('Restore');

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly engines: EngineRegistry,
    private readonly targets: RestoreTargets,
    private readonly moves: RestoreMoves,
  ) {}

  async server(restore: Restore): Promise<RestoreServer> {
    return {
      databases: this.engines.get(restore.engine).databases,
      connection: await this.targets.open(restore),
    };
  }

  /** Runs a step that must end by itself: not when the work is cancelled, but within a minute. */
  async step<T>(name: string, work: (signal: AbortSignal) => Promise<T>, seconds = STEP_SECONDS): Promise<T> {
    const limit = { ms: seconds * 1000, reason: new ServerStepTimeoutError(name, seconds) };
    return withTimeLimit(this.clock, limit, new AbortController().signal, work);
  }

  /** A step that gives databases other names, in the time that the restore's engine needs for it. */
  rename<T>(restore: Restore, name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { renames } = this.engines.get(restore.engine).traits;
    return this.step(name, work, renames === 'atomic' ? STEP_SECONDS : COPYING_STEP_SECONDS);
  }

  /** Says on the server that the database which was loaded under its final name is whole. Any number of times. */
  async release(restore: Restore): Promise<void> {
    const { databases, connection } = await this.server(restore);
    await this.step('say that a database is whole', (signal) =>
      databases.release(connection, restore.targetDatabaseName, { signal }),
    );
  }

  /**
   * Drops the database that the row names as ours, if it is, and takes its name off the row. Sessions in it are ended: they are what
   * a stopped tool has left. Brings `restore` up to date.
   */
  async drop(restore: Restore): Promise<void> {
    const { freshName } = restore;
    if (freshName !== null) {
      await this.#dropFromServer(restore, freshName);
      reached('restore.fresh-dropped');
      this.#log.log({ restoreId: restore.id, freshName }, 'the unfinished database is dropped');
    }
    await this.catalog.write((tx) =>
      this.moves.settleStage(tx, restore, 'nothing', { freshName: null, keptAs: null }),
    );
    Object.assign(restore, { stage: 'nothing', freshName: null, keptAs: null });
  }

  /** Drops what this attempt has made without a word in the row, which is another worker's by now. */
  async tryDropUnnamed(restore: Restore): Promise<void> {
    const { id: restoreId, freshName } = restore;
    if (freshName === null) return;
    try {
      await this.#dropFromServer(restore, freshName);
    } catch (error) {
      this.#log.error(
        { err: error, restoreId, freshName },
        'the database of a lost lease could not be dropped',
      );
    }
  }

  async #dropFromServer(restore: Restore, name: string): Promise<void> {
    const { databases, connection } = await this.server(restore);
    await this.step('drop a database', (signal) =>
      databases.drop(connection, name, { endSessions: true, madeBy: ownerOf(restore) }, { signal }),
    );
  }

  /** The same for a restore that has failed: when it cannot be done, the name stays in the row. */
  async tryDrop(restore: Restore): Promise<void> {
    try {
      await this.drop(restore);
    } catch (error) {
      const { id: restoreId, freshName } = restore;
      this.#log.error(
        { err: error, restoreId, freshName },
        'an unfinished database could not be dropped yet',
      );
    }
  }
}
