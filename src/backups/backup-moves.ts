import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';

import { EventLog } from '../events/event-log.js';
import type { BackupCopy } from './backup-copy.entity.js';
import { BackupCopy as Copy } from './backup-copy.entity.js';
import { backupEvent, movedEvent } from './backup-events.js';
import { predecessorsOf } from './backup-lifecycle.js';
import { BackupLog } from './backup-log.entity.js';
import type { BackupStatus, CopyState } from './backup-states.js';
import { Backup } from './backup.entity.js';
import { BackupStateError } from './backups.errors.js';

/**
 * Every change of a backup's state is one of these conditional statements, and none is without its event; a lost race throws
 * and rolls both back.
 */
@Injectable()
export class BackupMoves {
  constructor(private readonly events: EventLog) {}

  /** A new backup. */
  async insert(tx: EntityManager, backup: Backup): Promise<Backup> {
    await tx.insert(Backup, backup);
    const inserted = await tx.findOneByOrFail(Backup, { id: backup.id });
    this.events.append(tx, backupEvent('BackupQueued', inserted));
    return inserted;
  }

  /**
   * Moves a backup to a state, with whatever else becomes true by it.
   * @param only what must hold besides: this attempt is the current one, it is not locked
   * @throws BackupStateError when it is not in a state from which `to` can be reached, or `only` does not hold
   */
  async move(
    tx: EntityManager,
    backupId: string,
    to: BackupStatus,
    changes: QueryDeepPartialEntity<Backup> = {},
    only: { attempt?: number; locked?: boolean } = {},
  ): Promise<void> {
    const moved = await tx.update(
      Backup,
      { ...only, id: backupId, status: In(predecessorsOf(to)) },
      { ...changes, status: to },
    );
    if (moved.affected !== 1) {
      const now = await tx.findOneBy(Backup, { id: backupId });
      throw new BackupStateError(backupId, now?.status ?? 'gone', to);
    }
    this.events.append(tx, movedEvent(await tx.findOneByOrFail(Backup, { id: backupId })));
  }

  /** Gives false when the copy is no longer in any of the states `from`. */
  async moveCopy(
    tx: EntityManager,
    copy: BackupCopy,
    from: readonly CopyState[],
    to: CopyState,
  ): Promise<boolean> {
    const moved = await tx.update(Copy, { id: copy.id, state: In([...from]) }, { state: to });
    return moved.affected === 1;
  }

  /**
   * Takes a key out of a copy that turned out to be somebody else's object, before the copy's objects are removed; and with it
   * the keys behind it, which the attempt never came to write: what lies there is somebody else's too.
   */
  async disown(tx: EntityManager, copy: BackupCopy, key: string): Promise<void> {
    const index = copy.keys.indexOf(key);
    if (index !== -1) copy.keys = copy.keys.slice(0, index);
    await tx.update(Copy, { id: copy.id }, { keys: copy.keys });
  }

  /** What was unusual when a copy was removed; of several copies there may be several notes. */
  async noteRemoval(tx: EntityManager, backupId: string, note: string): Promise<void> {
    const { removalNote } = await tx.findOneByOrFail(Backup, { id: backupId });
    const notes = removalNote === null ? note : `${removalNote}\n${note}`;
    await tx.update(Backup, { id: backupId }, { removalNote: notes });
  }

  async deleteLogs(tx: EntityManager, backupId: string): Promise<void> {
    await tx.delete(BackupLog, { backupId });
  }

  async saveLog(tx: EntityManager, backupId: string, attempt: number, text: string): Promise<void> {
    if (text !== '') await tx.upsert(BackupLog, { backupId, attempt, text }, ['backupId', 'attempt']);
  }
}
