import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';

import { EventLog } from '../events/event-log.js';
import { restoreEvent, restoreMovedEvent } from './restore-events.js';
import { predecessorsOf } from './restore-lifecycle.js';
import type { RestoreStage, RestoreStatus } from './restore-states.js';
import { Restore } from './restore.entity.js';
import { RestoreCancelledError, RestoreStateError } from './restore.errors.js';

export type RestoreChanges = QueryDeepPartialEntity<Restore>;

/**
 * Every change of a restore's state is one of these conditional statements, and each change of its status has its event; a lost
 * race throws and rolls both back.
 */
@Injectable()
export class RestoreMoves {
  constructor(private readonly events: EventLog) {}

  /** A new restore. */
  async insert(tx: EntityManager, restore: Restore): Promise<void> {
    await tx.insert(Restore, restore);
    this.events.append(tx, await restoreEvent(tx, 'RestoreQueued', restore));
  }

  /**
   * Moves a restore to a status, with whatever else becomes true by it.
   * @throws RestoreStateError when it is not in a status from which `to` can be reached, or another attempt is at work
   */
  async move(
    tx: EntityManager,
    restore: Pick<Restore, 'id' | 'attempt'>,
    to: RestoreStatus,
    changes: RestoreChanges = {},
  ): Promise<void> {
    const { id, attempt } = restore;
    const moved = await tx.update(
      Restore,
      { id, attempt, status: In(predecessorsOf(to)) },
      { ...changes, status: to },
    );
    if (moved.affected !== 1) await refuse(tx, id, to);
    this.events.append(tx, await restoreMovedEvent(tx, await tx.findOneByOrFail(Restore, { id })));
  }

  /**
   * Takes a running restore away from a worker that was given up: from now on that can announce no further step (see
   * `enterStage`), so what is in the row is all that it may still be doing.
   */
  async fence(tx: EntityManager, restore: Pick<Restore, 'id' | 'attempt'>): Promise<Restore> {
    await this.move(tx, restore, 'queued');
    return tx.findOneByOrFail(Restore, { id: restore.id });
  }

  /**
   * Writes how far the running attempt is about to change the server.
   * @throws RestoreCancelledError when a cancel request came first, RestoreStateError when another worker has taken over
   */
  async enterStage(
    tx: EntityManager,
    restore: Pick<Restore, 'id' | 'attempt'>,
    stage: RestoreStage,
    changes: RestoreChanges = {},
  ): Promise<void> {
    const { id, attempt } = restore;
    const mayStillCancel = stage === 'placed' ? {} : { cancelRequested: false };
    const moved = await tx.update(
      Restore,
      { id, attempt, status: 'running', ...mayStillCancel },
      { ...changes, stage },
    );
    if (moved.affected === 1) return;
    const now = await tx.findOneBy(Restore, { id });
    if (now?.status === 'running' && now.attempt === attempt) throw new RestoreCancelledError(id);
    throw new RestoreStateError(id, now?.status ?? 'gone', stage);
  }

  /** What recovery or clean-up has found out of the server, for a restore on which nobody works. */
  async settleStage(
    tx: EntityManager,
    restore: Pick<Restore, 'id' | 'attempt'>,
    stage: RestoreStage,
    changes: RestoreChanges = {},
  ): Promise<void> {
    await tx.update(Restore, { id: restore.id, attempt: restore.attempt }, { ...changes, stage });
  }
}

async function refuse(tx: EntityManager, id: string, wanted: string): Promise<never> {
  const now = await tx.findOneBy(Restore, { id });
  throw new RestoreStateError(id, now?.status ?? 'gone', wanted);
}
