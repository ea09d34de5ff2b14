import { Injectable, Logger } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { DomainError } from '../errors/domain-error.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { reached } from '../process/phase-points.js';
import { FreshDatabases, type RestoreServer } from './fresh-databases.js';
import { RestoreMoves } from './restore-moves.js';
import { keptName } from './restore-names.js';
import type { RestoreResult } from './restore-result.js';
import { Restore } from './restore.entity.js';

/** Two replacements of one second; nobody makes this many. */
const MOST_TURNS = 100;

/**
 * Gives a restored and compared database its final name, by itself or in the place of the live one. What is about to
 * happen is in the row before. The names on the server change in one atomic step, or in steps that the engine can take up again
 * (`EngineTraits.renames`). So whatever dies, the server tells whether it
 * happened: nothing is swapped twice, and the live database is never taken for an unfinished one.
 */
@Injectable()
export class DatabasePlacer {
  readonly #log = new Logger('Restore');

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly engines: EngineRegistry,
    private readonly fresh: FreshDatabases,
    private readonly moves: RestoreMoves,
  ) {}

  /**
   * Brings `restore` up to date. It cannot be cancelled once it has begun.
   * @param replacesLive whether there was a database to replace when the restore began
   * @throws RestoreCancelledError when a cancel request came before it began
   * @throws whatever the server says; with `restore` in stage `placing`, only the server knows then whether it happened
   */
  async place(restore: Restore, result: RestoreResult, replacesLive: boolean): Promise<void> {
    const server = await this.fresh.server(restore);
    // The live database may have gone while its backup was being loaded; then there is nothing to keep.
    const replaces = replacesLive && (await this.#exists(restore, restore.targetDatabaseName));
    const keptAs = replaces ? await this.#freeKeptName(restore) : null;
    await this.catalog.write((tx) => this.moves.enterStage(tx, restore, 'placing', { keptAs, result }));
    Object.assign(restore, { stage: 'placing', keptAs, result });
    reached('restore.placing-announced');
    if (restore.freshName === restore.targetDatabaseName) await this.fresh.release(restore);
    else {
      await this.fresh.rename(restore, 'give a database its final name', (signal) =>
        rename(server, restore, signal),
      );
    }
    reached('restore.names-changed');
    await this.catalog.write((tx) => this.moves.enterStage(tx, restore, 'placed', { freshName: null }));
    Object.assign(restore, { stage: 'placed', freshName: null });
    reached('restore.placed');
    this.#log.log(
      { restoreId: restore.id, database: restore.targetDatabaseName, keptAs },
      'the restored database has its final name',
    );
  }

  /**
   * Finds out whether the names of a restore in stage `placing` have changed, and makes sure that they do not change later:
   * a server may still be at a step whose connection broke.
   */
  async settle(restore: Restore): Promise<'placed' | 'not placed'> {
    const announced = Object.assign(new Restore(), restore);
    if (await this.#hasHappened(announced)) return 'placed';
    const isNameTaken = await this.#exists(announced, announced.targetDatabaseName);
    await this.fresh.drop(restore);
    // From here on it cannot happen, as what would get the name is gone; it may have happened while we looked.
    const happened =
      announced.keptAs === null
        ? !isNameTaken && (await this.#exists(announced, announced.targetDatabaseName))
        : await this.#hasHappened(announced);
    if (happened) restore.keptAs = announced.keptAs;
    return happened ? 'placed' : 'not placed';
  }

  /**
   * Drops the replaced database, when that was asked for.
   * @returns why it is still there, for the notes; undefined when all is as it was asked for
   */
  async dropOld(restore: Restore): Promise<string | undefined> {
    const { keptAs, endConnections } = restore;
    if (restore.keepOld || keptAs === null) return undefined;
    try {
      const { databases, connection } = await this.fresh.server(restore);
      await this.fresh.step('drop a database', (signal) =>
        databases.drop(connection, keptAs, { endSessions: endConnections }, { signal }),
      );
      reached('restore.old-dropped');
      this.#log.log(
        { restoreId: restore.id, database: keptAs },
        'the replaced database is dropped, as asked for',
      );
      restore.keptAs = null;
      return undefined;
    } catch (error) {
      this.#log.warn(
        { err: error, restoreId: restore.id, keptAs },
        'the replaced database could not be dropped',
      );
      const why = error instanceof DomainError ? error.message : 'an unexpected error; the log has it';
      return `The replaced database could not be dropped and stays as ${JSON.stringify(keptAs)}: ${why}`;
    }
  }

  /** Told by the names on the server. What had begun there, on a server that renames step by step, is finished. */
  async #hasHappened(restore: Restore): Promise<boolean> {
    const { keptAs: keepAs, freshName: fresh, targetDatabaseName: live } = restore;
    if (fresh === null) throw new Error(`restore ${restore.id} has nothing to give a name to`);
    if (fresh === live) {
      // It was loaded and compared under its final name.
      await this.fresh.release(restore);
      return true;
    }
    const { databases, connection } = await this.fresh.server(restore);
    const outcome = await this.fresh.rename(restore, 'tell what became of its databases', (signal) =>
      databases.settleSwap(connection, { live, fresh, keepAs }, { signal }),
    );
    return outcome === 'swapped';
  }

  async #exists(restore: Restore, name: string): Promise<boolean> {
    const { databases, connection } = await this.fresh.server(restore);
    return this.fresh.step('tell its databases', (signal) => databases.exists(connection, name, { signal }));
  }

  async #freeKeptName(restore: Restore): Promise<string> {
    const { maxDatabaseNameBytes } = this.engines.get(restore.engine).traits;
    const now = this.clock.now();
    for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
      const name = keptName(restore.targetDatabaseName, now, turn, maxDatabaseNameBytes);
      if (!(await this.#exists(restore, name))) return name;
    }
    throw new Error(`no free name to keep ${restore.targetDatabaseName} under`);
  }
}

async function rename(
  { databases, connection }: RestoreServer,
  restore: Restore,
  signal: AbortSignal,
): Promise<void> {
  const { targetDatabaseName: live, freshName: fresh, keptAs, endConnections: endSessions } = restore;
  if (fresh === null) throw new Error(`restore ${restore.id} has nothing to give a name to`);
  if (keptAs === null) await databases.rename(connection, fresh, live, { signal });
  else await databases.swap(connection, { live, fresh, keepAs: keptAs }, { endSessions }, { signal });
}
