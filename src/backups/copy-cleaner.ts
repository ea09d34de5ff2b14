import { Injectable } from '@nestjs/common';

import { Catalog } from '../catalog/catalog.js';
import { reached } from '../process/phase-points.js';
import { StorageRegistry } from '../storage/storage-registry.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupMoves } from './backup-moves.js';
import { type CopyState, FINISHED_COPIES } from './backup-states.js';

/** Removes the objects of one copy: exactly those its row names, the manifest last. */
@Injectable()
export class CopyCleaner {
  constructor(
    private readonly catalog: Catalog,
    private readonly storages: StorageRegistry,
    private readonly moves: BackupMoves,
  ) {}

  /**
   * Removes what a failed or dead attempt left, the part that it was writing included. A copy that has become part of a good backup
   * meanwhile is not touched.
   */
  async discardUnfinished(copy: BackupCopy): Promise<void> {
    if (!(await this.#begin(copy, ['writing', 'discarding']))) return this.removeLate(copy);
    await this.storages.open(copy.destination).sweep({ of: copy.keys });
    await this.#remove(copy);
  }

  /**
   * Removes what was stored for a copy after it had been discarded. A worker that lost its lease without noticing, because its
   * machine stood still, may store an object for which its successor has looked in vain. No key is ever given twice, so nobody
   * else's can lie there. A copy in any other state is not touched: it may be good, or its successor removes it himself.
   */
  async removeLate(copy: BackupCopy): Promise<void> {
    const { state, keys } = await this.catalog.read.findOneByOrFail(BackupCopy, { id: copy.id });
    if (state !== 'discarded') return;
    const storage = this.storages.open(copy.destination);
    await storage.sweep({ of: keys });
    for (const key of keys) await storage.delete(key);
  }

  /** Removes a copy of a backup that expires; notes in the backup's row when its archive was gone before we touched it. */
  async remove(copy: BackupCopy): Promise<void> {
    const note = await this.#noteIfGone(copy);
    if (!(await this.#begin(copy, ['writing', ...FINISHED_COPIES, 'discarding'], note))) {
      return this.removeLate(copy);
    }
    await this.#remove(copy);
  }

  /** Asked only while nobody has begun to remove the copy: afterwards an absent object says nothing. */
  async #noteIfGone(copy: BackupCopy): Promise<string | undefined> {
    if (copy.state !== 'stored') return undefined;
    const found = await this.storages.open(copy.destination).stat(copy.key);
    if (found !== undefined) return undefined;
    return `Its archive was not at the destination any more: ${copy.destination} ${copy.key}`;
  }

  /** Marks the copy as `discarding`; gives false when it is in no such state any more. */
  async #begin(copy: BackupCopy, from: readonly CopyState[], note?: string): Promise<boolean> {
    const ours = await this.catalog.write(async (tx) => {
      const moved = await this.moves.moveCopy(tx, copy, from, 'discarding');
      if (moved && note !== undefined) await this.moves.noteRemoval(tx, copy.backupId, note);
      return moved;
    });
    if (ours) reached('copy.discarding');
    return ours;
  }

  /**
   * Removes the objects of a copy that is `discarding`, and marks it as `discarded`. May be repeated after a crash at any point; when
   * it throws, the row still names what may be left.
   */
  async #remove(copy: BackupCopy): Promise<void> {
    const storage = this.storages.open(copy.destination);
    for (const key of copy.keys) {
      await storage.delete(key);
      reached('copy.object-deleted');
    }
    await this.catalog.write((tx) => this.moves.moveCopy(tx, copy, ['discarding'], 'discarded'));
    reached('copy.discarded');
  }
}
