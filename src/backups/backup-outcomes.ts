import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Manifest } from '../archive/manifest.js';
import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { reached } from '../process/phase-points.js';
import { ShuttingDownError } from '../queue/queue.errors.js';
import { type Lease, Queue } from '../queue/queue.js';
import { StorageKeyExistsError } from '../storage/storage.errors.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupMoves } from './backup-moves.js';
import { Backup } from './backup.entity.js';
import { BackupActiveError, WorkerLostError } from './backups.errors.js';
import { CopyCleaner } from './copy-cleaner.js';
import { ASK_AGAIN, planRetry, type RetryPlan } from './retry-plan.js';
import { toErrorTexts } from './row-error.js';

/** Pause before a backup looks again whether the one before it has been settled. */
const TURN_MS = 15_000;

/**
 * Writes down what became of a backup. Every finishing move changes the row, the copy and the ticket in one short
 * transaction that asks for the lease: a worker that lost it changes nothing.
 */
@Injectable()
export class BackupOutcomes {
  readonly #log = new Logger('Backup');

  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly moves: BackupMoves,
    private readonly cleaner: CopyCleaner,
  ) {}

  /** The row is gone; so is the work. */
  async forget(lease: Lease): Promise<void> {
    await this.catalog.write((tx) => this.queue.finish(tx, lease));
  }

  /**
   * Gives false, and asks for another claim, while another backup of the database is still `running`: a dead attempt whose worth
   * cannot be told yet. The row says for which one it waits.
   */
  async started(backup: Backup, attempt: number, lease: Lease): Promise<boolean> {
    const { id: backupId, databaseId } = backup;
    return this.catalog.write(async (tx) => {
      await this.queue.confirm(tx, lease);
      const other = databaseId && (await tx.findOneBy(Backup, { databaseId, status: 'running' }));
      if (other) {
        const waits = new BackupActiveError(backup.databaseName, other.id, other.status);
        await tx.update(Backup, { id: backupId }, toRowError(waits));
        await this.queue.postpone(tx, lease, new Date(this.clock.now().getTime() + TURN_MS));
        return false;
      }
      await this.moves.move(tx, backupId, 'running', {
        attempt,
        startedAt: this.clock.now(),
        errorCode: null,
        errorDetail: null,
        errorRetryable: null,
      });
      return true;
    });
  }

  /**
   * The lease is lost, or the row has moved on without us. Whoever holds it now decides about the row and about what we have
   * stored; what he has discarded already is removed here, because we may have stored it afterwards.
   */
  async abandon(backupId: string, attempt: number): Promise<void> {
    try {
      const copies = await this.catalog.read.findBy(BackupCopy, { backupId, attempt });
      for (const copy of copies) await this.cleaner.removeLate(copy);
    } catch (error) {
      this.#log.error({ err: error, backupId }, 'late files could not be removed yet; the sweeper will');
    }
  }

  async completed(
    backupId: string,
    attempt: number,
    result: { manifest: Manifest; manifestSha256: string },
    log: string,
    lease: Lease,
  ): Promise<void> {
    const now = this.clock.now();
    await this.catalog.write(async (tx) => {
      await this.moves.move(tx, backupId, 'completed', completion(result, now), { attempt });
      const stored = await tx.update(
        BackupCopy,
        { backupId, attempt, state: 'writing' },
        { state: 'stored' },
      );
      if (stored.affected !== 1)
        throw new Error(`backup ${backupId} completed without a copy of attempt ${attempt}`);
      await this.moves.saveLog(tx, backupId, attempt, log);
      await this.queue.finish(tx, lease);
      const { databaseId, cleanupOld } = await tx.findOneByOrFail(Backup, { id: backupId });
      // What is older may go now. In the same transaction, so that a crash after it does not lose the sweep.
      if (databaseId !== null && cleanupOld !== false) {
        await this.queue.send(tx, { kind: 'retention', subjectId: databaseId, runAfter: now });
      }
    });
    reached('backup.completed');
    this.#log.log({ backupId, attempt }, 'backup completed');
  }

  async cancelled(backup: Backup, lease: Lease, log = ''): Promise<void> {
    await this.catalog.write(async (tx) => {
      await this.moves.saveLog(tx, backup.id, backup.attempt, log);
      await this.#cancel(tx, backup, lease);
    });
  }

  /**
   * A dead attempt can be neither believed nor removed now. The row shows why; the backup stays as it is, and is looked at
   * again, less and less often. Somebody who does not want to wait cancels it.
   */
  async unsettled(backup: Backup, cause: unknown, lease: Lease): Promise<void> {
    const isStop = cause instanceof ShuttingDownError;
    if (!isStop) this.#log.warn({ err: cause, backupId: backup.id }, 'cannot settle a dead attempt yet');
    await this.catalog.write(async (tx) => {
      const now = this.clock.now();
      const plan = planRetry(ASK_AGAIN, lease.claim, true, now);
      await this.queue.postpone(tx, lease, plan.again && !isStop ? plan.at : now);
      if (!isStop) await tx.update(Backup, { id: backup.id }, toRowError(cause));
    });
  }

  /** Fails the backup, or plans its next attempt. */
  async failed(backup: Backup, cause: unknown, log: string, lease: Lease): Promise<void> {
    const error = toRowError(cause);
    const level = cause instanceof DomainError ? 'warn' : 'error';
    this.#log[level]({ err: cause, backupId: backup.id, attempt: backup.attempt }, 'backup attempt failed');
    const isLast = await this.catalog.write(async (tx) => {
      await this.moves.saveLog(tx, backup.id, backup.attempt, log);
      const now = this.clock.now();
      const retry = this.#planRetry(backup, cause, error, now);
      // Asked for while the attempt was failing by itself: it must not wait for a retry to be heard.
      const { cancelRequested } = await tx.findOneByOrFail(Backup, { id: backup.id });
      if (retry.again && cancelRequested) await this.#cancel(tx, backup, lease);
      else if (retry.again) {
        const interrupted = cause instanceof ShuttingDownError ? 1 : 0;
        await this.#again(
          tx,
          backup,
          { ...error, interruptedAttempts: backup.interruptedAttempts + interrupted },
          retry.at,
          lease,
        );
      } else {
        await this.moves.move(
          tx,
          backup.id,
          'failed',
          { ...error, completedAt: now },
          { attempt: backup.attempt },
        );
        await this.queue.finish(tx, lease);
        return true;
      }
      return false;
    });
    // Without this line the log shows the attempt that ended all hope like one that is tried again.
    if (isLast) this.#log.error({ backupId: backup.id, code: error.errorCode }, 'backup failed');
  }

  /**
   * A dead worker's row goes back to `queued`, or fails when it has killed enough of them.
   * @returns whether it may be tried again under this lease; `backup` is brought up to date
   */
  async requeueAfterDeath(backup: Backup, lease: Lease): Promise<boolean> {
    const attempts = countedAttempts(backup);
    if (attempts >= this.config.backupMaxAttempts) {
      await this.failed(backup, new WorkerLostError(attempts), '', lease);
      return false;
    }
    await this.catalog.write(async (tx) => {
      await this.queue.confirm(tx, lease);
      await this.moves.move(tx, backup.id, 'queued', {}, { attempt: backup.attempt });
    });
    backup.status = 'queued';
    return true;
  }

  /**
   * Removes the objects of one attempt; what cannot be removed now stays named, for the sweeper. An object that the storage
   * refused to overwrite is not ours and stays.
   */
  async discardAttempt(backupId: string, attempt: number, cause: unknown): Promise<void> {
    try {
      const copies = await this.catalog.read.findBy(BackupCopy, { backupId, attempt });
      for (const copy of copies) {
        if (cause instanceof StorageKeyExistsError) {
          await this.catalog.write((tx) => this.moves.disown(tx, copy, cause.key));
        }
        await this.cleaner.discardUnfinished(copy);
      }
    } catch (error) {
      this.#log.error({ err: error, backupId }, 'partial files could not be removed yet; the sweeper will');
    }
  }

  async #cancel(tx: EntityManager, backup: Backup, lease: Lease): Promise<void> {
    await this.moves.move(tx, backup.id, 'cancelled', {
      completedAt: this.clock.now(),
      errorCode: 'backup-cancelled',
      errorDetail: 'Cancelled on request.',
      errorRetryable: false,
    });
    await this.queue.finish(tx, lease);
    this.#log.log({ backupId: backup.id }, 'backup cancelled');
  }

  /** A stop of the service says nothing about the backup: it is tried again at once, and the attempt does not count. */
  #planRetry(backup: Backup, cause: unknown, { errorRetryable }: RowError, now: Date): RetryPlan {
    if (cause instanceof ShuttingDownError) return { again: true, at: now };
    const { backupMaxAttempts: maxAttempts, retryBackoffSeconds } = this.config;
    const policy = { maxAttempts, backoffMs: retryBackoffSeconds * 1000 };
    return planRetry(policy, countedAttempts(backup), errorRetryable, now);
  }

  async #again(
    tx: EntityManager,
    backup: Backup,
    changes: Partial<Backup>,
    at: Date,
    lease: Lease,
  ): Promise<void> {
    await this.moves.move(tx, backup.id, 'queued', changes, { attempt: backup.attempt });
    await this.queue.postpone(tx, lease, at);
    this.#log.log({ backupId: backup.id, at }, 'the backup will be tried again');
  }
}

interface RowError {
  errorCode: string;
  errorDetail: string;
  errorRetryable: boolean;
}

function countedAttempts({ attempt, interruptedAttempts }: Backup): number {
  return attempt - interruptedAttempts;
}

function toRowError(cause: unknown): RowError {
  const { code, detail, retryable } = toErrorTexts(cause);
  return { errorCode: code, errorDetail: detail, errorRetryable: retryable };
}

function completion(result: { manifest: Manifest; manifestSha256: string }, now: Date): Partial<Backup> {
  const { manifest } = result;
  const data = manifest.parts[0];
  if (data === undefined) throw new Error('a manifest without parts');
  const sum = (pick: (part: Manifest['parts'][number]) => number): number =>
    manifest.parts.reduce((total, part) => total + pick(part), 0);
  return {
    completedAt: now,
    filename: data.filename,
    sizeBytes: sum((part) => part.stored.size_bytes),
    plainBytes: sum((part) => part.plain.size_bytes),
    sha256: data.stored.sha256,
    manifestSha256: result.manifestSha256,
    format: manifest.format,
    compression: manifest.compression,
    tool: `${manifest.tool.name} ${manifest.tool.version}`,
    serverVersion: manifest.server.version,
    contents: {
      items: manifest.content.items.length,
      rows: manifest.content.items.reduce((total, item) => total + item.rows, 0),
      counters: manifest.content.counters,
    },
    evidenceLevel: 0,
    evidenceAt: now,
    errorCode: null,
    errorDetail: null,
    errorRetryable: null,
  };
}
