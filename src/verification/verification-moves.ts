import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';

import { EventLog } from '../events/event-log.js';
import { verificationEvent, verificationMovedEvent } from './verification-events.js';
import { predecessorsOf } from './verification-lifecycle.js';
import type { VerificationStatus } from './verification-states.js';
import { Verification } from './verification.entity.js';
import { VerificationStateError } from './verification.errors.js';

export type VerificationChanges = QueryDeepPartialEntity<Verification>;

/**
 * Every change of a verification's state is one of these conditional statements, and each has its event; a lost race throws and
 * rolls both back.
 */
@Injectable()
export class VerificationMoves {
  constructor(private readonly events: EventLog) {}

  /** A new verification. */
  async insert(tx: EntityManager, verification: Verification): Promise<void> {
    await tx.insert(Verification, verification);
    this.events.append(tx, verificationEvent('VerificationQueued', verification));
  }

  /**
   * Moves a verification to a status, with whatever else becomes true by it.
   * @throws VerificationStateError when it is not in a status from which `to` can be reached, or another attempt is at work
   */
  async move(
    tx: EntityManager,
    { id, attempt }: Pick<Verification, 'id' | 'attempt'>,
    to: VerificationStatus,
    changes: VerificationChanges = {},
  ): Promise<void> {
    const moved = await tx.update(
      Verification,
      { id, attempt, status: In(predecessorsOf(to)) },
      { ...changes, status: to },
    );
    const now = await tx.findOneBy(Verification, { id });
    if (moved.affected !== 1 || now === null) throw new VerificationStateError(id, now?.status ?? 'gone', to);
    this.events.append(tx, verificationMovedEvent(now));
  }
}
