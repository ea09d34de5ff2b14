import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { BackupEvidence } from '../backups/backup-evidence.js';
import { ASK_AGAIN, planRetry } from '../backups/retry-plan.js';
import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { reached } from '../process/phase-points.js';
import { type Lease, Queue } from '../queue/queue.js';
import { type RestoreChanges, RestoreMoves } from './restore-moves.js';
import { evidenceShownBy } from './restore-result.js';
import type { Restore } from './restore.entity.js';
import { RestoreDiffersError, RestoreWorkerLostError } from './restore.errors.js';

/**
 * Writes down what became of a restore. Every finishing move changes the row and the ticket in one short transaction that
 * asks for the lease: a worker that lost it changes nothing.
 */
@Injectable()
export class RestoreOutcomes {
  readonly #log = new Logger('Restore');

  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly moves: RestoreMoves,
    private readonly evidence: BackupEvidence,
  ) {}

  /** The row is gone; so is the work. */
  async forget(lease: Lease): Promise<void> {
    await this.catalog.write((tx) => this.queue.finish(tx, lease));
  }

  /** What a restore that has ended had left on its server is gone now. */
  async cleaned(restore: Restore, lease: Lease): Promise<void> {
    await this.catalog.write(async (tx) => {
      await this.moves.settleStage(tx, restore, restore.stage, { connectionSealed: null });
      await this.queue.finish(tx, lease);
    });
  }

  /** A restore that has killed enough workers fails; gives whether it may be tried again under this lease. */
  async mayGoOnAfterDeath(restore: Restore, lease: Lease): Promise<boolean> {
    const attempts = restore.attempt - restore.interruptedAttempts;
    if (attempts < this.config.backupMaxAttempts) return true;
    await this.failed(restore, new RestoreWorkerLostError(attempts), lease);
    return false;
  }

  /** Brings `restore` up to date. */
  async started(restore: Restore, lease: Lease): Promise<void> {
    const changes = { attempt: restore.attempt + 1, startedAt: this.clock.now(), ...NO_ERROR, result: null };
    await this.catalog.write(async (tx) => {
      await this.queue.confirm(tx, lease);
      await this.moves.move(tx, restore, 'running', changes);
    });
    Object.assign(restore, { ...changes, status: 'running' });
    const { id: restoreId, backupId, targetDatabaseName: database, attempt } = restore;
    this.#log.log({ restoreId, backupId, database, attempt }, 'restore started');
  }

  /**
   * The restore is placed. A whole one has also shown how good its backup is.
   */
  async completed(restore: Restore, lease: Lease): Promise<void> {
    const { id: restoreId, backupId, keptAs, result } = restore;
    if (result === null) throw new Error(`restore ${restoreId} is placed without having been compared`);
    const now = this.clock.now();
    await this.catalog.write(async (tx) => {
      await this.moves.move(tx, restore, 'completed', { ...ended(now), ...NO_ERROR, keptAs, result });
      if (result.verified && restore.tables === null) {
        await this.evidence.record(tx, backupId, {
          name: evidenceShownBy(result.compared),
          at: now,
          restoreMs: result.restoreMs,
        });
      }
      await this.queue.finish(tx, lease);
    });
    reached('restore.completed');
    this.#log.log({ restoreId, backupId, database: restore.targetDatabaseName }, 'restore completed');
  }

  async cancelled(restore: Restore, lease: Lease): Promise<void> {
    const error = {
      errorCode: 'restore-cancelled',
      errorDetail: 'Cancelled on request.',
      errorRetryable: false,
      errorFacts: null,
    };
    await this.catalog.write((tx) => this.#end(tx, restore, 'cancelled', error, lease));
    this.#log.log({ restoreId: restore.id }, 'restore cancelled');
  }

  /** A restore is not tried again by itself: whoever asked for it is told, and decides. */
  async failed(restore: Restore, cause: unknown, lease: Lease): Promise<void> {
    const level = cause instanceof DomainError ? 'warn' : 'error';
    this.#log[level]({ err: cause, restoreId: restore.id, attempt: restore.attempt }, 'restore failed');
    await this.catalog.write(async (tx) => {
      await this.#end(tx, restore, 'failed', toRowError(cause), lease);
      if (!(cause instanceof RestoreDiffersError)) return;
      await this.evidence.noteDifference(tx, restore.backupId, restore.id, this.clock.now());
    });
  }

  /** The service is stopping; the restore begins anew at its next start. */
  async requeued(restore: Restore, cause: DomainError, lease: Lease): Promise<void> {
    await this.catalog.write(async (tx) => {
      await this.moves.move(tx, restore, 'queued', {
        ...toRowError(cause),
        interruptedAttempts: restore.interruptedAttempts + 1,
      });
      await this.queue.postpone(tx, lease, this.clock.now());
    });
    this.#log.log({ restoreId: restore.id }, 'the restore goes back to the queue');
  }

  /** What is on the server cannot be found out, or removed, now. The row keeps naming it, and is looked at again. */
  async unsettled(restore: Restore, cause: unknown, lease: Lease): Promise<void> {
    this.#log.warn(
      { err: cause, restoreId: restore.id, stage: restore.stage },
      'cannot settle a restore yet',
    );
    await this.catalog.write(async (tx) => {
      if (restore.status === 'running') await this.moves.move(tx, restore, 'queued', toRowError(cause));
      await this.queue.postpone(tx, lease, this.#later(lease));
    });
  }

  /** The ticket stays while the row names a database that could not be dropped. */
  async #end(
    tx: EntityManager,
    restore: Restore,
    status: 'failed' | 'cancelled',
    error: RestoreChanges,
    lease: Lease,
  ): Promise<void> {
    const isClean = restore.freshName === null;
    const { connectionSealed } = restore;
    await this.moves.move(tx, restore, status, {
      ...ended(this.clock.now()),
      ...error,
      ...(isClean ? {} : { connectionSealed }),
    });
    if (isClean) await this.queue.finish(tx, lease);
    else await this.queue.postpone(tx, lease, this.#later(lease));
  }

  #later(lease: Lease): Date {
    const now = this.clock.now();
    const plan = planRetry(ASK_AGAIN, lease.claim, true, now);
    return plan.again ? plan.at : now;
  }
}

const NO_ERROR = { errorCode: null, errorDetail: null, errorRetryable: null, errorFacts: null };

/** The connection is forgotten, and the target is free for others. */
function ended(now: Date): Pick<Restore, 'completedAt' | 'activeTarget' | 'connectionSealed'> {
  return { completedAt: now, activeTarget: null, connectionSealed: null };
}

function toRowError(cause: unknown): RestoreChanges {
  if (cause instanceof DomainError) {
    return {
      errorCode: cause.code,
      errorDetail: cause.message,
      errorRetryable: cause.retryable,
      errorFacts: { ...cause.facts },
    };
  }
  return {
    errorCode: 'internal-error',
    errorDetail: 'An unexpected error inside Backstop; the service log has it with this restore id.',
    errorRetryable: true,
    errorFacts: null,
  };
}
