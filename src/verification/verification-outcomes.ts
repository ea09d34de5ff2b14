import { Injectable, Logger } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { BackupCopy } from '../backups/backup-copy.entity.js';
import { BackupEvidence } from '../backups/backup-evidence.js';
import { holdCompleted } from '../backups/hold-backup.js';
import { toErrorTexts } from '../backups/row-error.js';
import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { reached } from '../process/phase-points.js';
import { type Lease, Queue } from '../queue/queue.js';
import { type CopyError, type CopyResult, levelReachedBy, worstOf } from './copy-result.js';
import { type VerificationChanges, VerificationMoves } from './verification-moves.js';
import type { Verification } from './verification.entity.js';
import { VerificationCancelledError, VerificationWorkerLostError } from './verification.errors.js';

/**
 * Writes down what became of a verification. Every finishing move changes the row, the evidence and the ticket in one short
 * transaction that asks for the lease: a worker that lost it changes nothing.
 */
@Injectable()
export class VerificationOutcomes {
  readonly #log = new Logger('Verification');

  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly moves: VerificationMoves,
    private readonly evidence: BackupEvidence,
  ) {}

  /** Nothing is to be done for the row, or it is gone. */
  async forget(lease: Lease): Promise<void> {
    await this.catalog.write((tx) => this.queue.finish(tx, lease));
  }

  /** A verification that has killed enough workers fails; gives whether it may be tried again under this lease. */
  async mayGoOnAfterDeath(verification: Verification, lease: Lease): Promise<boolean> {
    const attempts = verification.attempt - verification.interruptedAttempts;
    if (attempts < this.config.backupMaxAttempts) return true;
    await this.failed(verification, new VerificationWorkerLostError(attempts), lease);
    return false;
  }

  /** Begins an attempt, also in the place of one whose worker has died. Brings `verification` up to date. */
  async started(verification: Verification, lease: Lease): Promise<void> {
    const changes = { attempt: verification.attempt + 1, startedAt: this.clock.now(), ...NO_ERROR };
    await this.catalog.write(async (tx) => {
      await this.queue.confirm(tx, lease);
      if (verification.status === 'running') await this.moves.move(tx, verification, 'queued');
      await this.moves.move(tx, verification, 'running', changes);
    });
    Object.assign(verification, { ...changes, status: 'running' });
    const { id: verificationId, backupId, level, attempt } = verification;
    this.#log.log({ verificationId, backupId, level, attempt }, 'verification started');
  }

  /** All copies were looked at: it has passed when all of them have. */
  async ended(verification: Verification, copies: CopyResult[], lease: Lease): Promise<void> {
    const worst = worstOf(copies);
    const found = { copies, levelReached: levelReachedBy(copies) };
    if (worst !== undefined) {
      await this.#end(verification, 'failed', { ...found, ...toRowError(worst.error) }, lease);
      return;
    }
    await this.catalog.write(async (tx) => {
      const now = this.clock.now();
      await this.moves.move(tx, verification, 'completed', { ...found, ...NO_ERROR, completedAt: now });
      await this.#raise(tx, verification, now);
      await this.queue.finish(tx, lease);
    });
    reached('verification.ended');
    const { id: verificationId, backupId, level } = verification;
    this.#log.log({ verificationId, backupId, level }, 'verification passed');
  }

  async cancelled(verification: Verification, lease: Lease): Promise<void> {
    const { code, message: detail } = new VerificationCancelledError(verification.id);
    const error = toRowError({ code, detail, retryable: false });
    await this.#end(verification, 'cancelled', error, lease);
  }

  /** It could not be done. It is not tried again by itself: whoever asked for it is told, and decides. */
  async failed(verification: Verification, cause: unknown, lease: Lease): Promise<void> {
    const level = cause instanceof DomainError ? 'warn' : 'error';
    const { id: verificationId, backupId } = verification;
    this.#log[level]({ err: cause, verificationId, backupId }, 'verification could not be done');
    await this.#end(verification, 'failed', toRowError(toErrorTexts(cause)), lease);
  }

  /** The service is stopping; the verification begins anew at its next start. */
  async requeued(verification: Verification, cause: DomainError, lease: Lease): Promise<void> {
    await this.catalog.write(async (tx) => {
      await this.moves.move(tx, verification, 'queued', {
        ...toRowError(toErrorTexts(cause)),
        interruptedAttempts: verification.interruptedAttempts + 1,
      });
      await this.queue.postpone(tx, lease, this.clock.now());
    });
    this.#log.log({ verificationId: verification.id }, 'the verification goes back to the queue');
  }

  async #end(
    verification: Verification,
    status: 'failed' | 'cancelled',
    changes: VerificationChanges,
    lease: Lease,
  ): Promise<void> {
    await this.catalog.write(async (tx) => {
      await this.moves.move(tx, verification, status, { ...changes, completedAt: this.clock.now() });
      await this.queue.finish(tx, lease);
    });
    reached('verification.ended');
    this.#log.log({ verificationId: verification.id, status }, 'verification ended');
  }

  /** Unless somebody else has found a copy to be bad since it was read here: then the backup has what that has left it. */
  async #raise(tx: EntityManager, { backupId, level: name }: Verification, at: Date): Promise<void> {
    await holdCompleted(tx, backupId, 'verified');
    const bad = await tx.existsBy(BackupCopy, { backupId, state: In(['damaged', 'missing']) });
    if (!bad) await this.evidence.record(tx, backupId, { name, at });
  }
}

type RowError = Pick<Verification, 'errorCode' | 'errorDetail' | 'errorRetryable'>;

const NO_ERROR: RowError = { errorCode: null, errorDetail: null, errorRetryable: null };

function toRowError(error: CopyError | null): RowError {
  if (error === null) return NO_ERROR;
  return { errorCode: error.code, errorDetail: error.detail, errorRetryable: error.retryable };
}
