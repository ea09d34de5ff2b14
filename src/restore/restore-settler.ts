import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { reached } from '../process/phase-points.js';
import { DatabasePlacer } from './database-placer.js';
import { FreshDatabases } from './fresh-databases.js';
import { RestoreMoves } from './restore-moves.js';
import type { Restore } from './restore.entity.js';

/** Decides what a worker that died, or that failed while the names on the server were changing, has left there. */
@Injectable()
export class RestoreSettler {
  constructor(
    private readonly catalog: Catalog,
    private readonly placer: DatabasePlacer,
    private readonly fresh: FreshDatabases,
    private readonly moves: RestoreMoves,
  ) {}

  /**
   * Takes a running restore away from a worker that was given up, and brings `restore` up to date. From then on that worker,
   * should it live, can announce no further step; what is in the row is all that it may still be doing.
   */
  async fence(restore: Restore): Promise<void> {
    const fenced = await this.catalog.write((tx) => this.moves.fence(tx, restore));
    Object.assign(restore, fenced);
    reached('restore.fenced');
  }

  /**
   * Brings `restore` and its server to the stage `nothing`, or to `placed`: the restore is done, only its row does not say
   * so yet. Rejects when the server cannot be asked; then nothing has been decided, and it is to be called again.
   */
  async settle(restore: Restore): Promise<void> {
    if (restore.stage === 'loading') await this.fresh.drop(restore);
    if (restore.stage !== 'placing') return;
    if ((await this.placer.settle(restore)) === 'not placed') return;
    const { keptAs } = restore;
    await this.catalog.write((tx) =>
      this.moves.settleStage(tx, restore, 'placed', { freshName: null, keptAs }),
    );
    Object.assign(restore, { stage: 'placed', freshName: null });
  }

  /**
   * The lease is lost: somebody else decides about the row, which is not touched. He has dropped the unfinished database of this
   * attempt, or will; but we may have made it after he looked, so it is dropped here as well. One that may have its final name
   * already is his alone.
   */
  async abandon(restore: Restore): Promise<void> {
    if (restore.stage === 'loading') await this.fresh.tryDropUnnamed(restore);
  }

  /** After a failure: drops the unfinished database, or leaves its name in the row for a later claim. */
  async tryClean(restore: Restore): Promise<void> {
    if (restore.stage === 'loading') await this.fresh.tryDrop(restore);
  }
}
