import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { BackupQueries } from '../backups/backup-queries.js';
import { Backup } from '../backups/backup.entity.js';
import { holdCompleted } from '../backups/hold-backup.js';
import { Catalog } from '../catalog/catalog.js';
import { violatesUnique } from '../catalog/write-errors.js';
import { Clock } from '../clock/clock.js';
import { IdempotencyKeyReusedError } from '../idempotency/idempotency.errors.js';
import { makeOnce } from '../idempotency/make-once.js';
import { Queue } from '../queue/queue.js';
import { ACTIVE_STATUSES } from './verification-lifecycle.js';
import { VerificationMoves } from './verification-moves.js';
import { VerificationQueries } from './verification-queries.js';
import { levelFor } from './verification-rules.js';
import type { ScratchlessLevel, VerificationLevel } from './verification-states.js';
import { Verification } from './verification.entity.js';
import { VerificationCancelledError, VerificationStateError } from './verification.errors.js';

/** What somebody asks for. */
export interface VerificationRequest {
  /** Id or file name of the backup. */
  backup: string;
  /** The highest that can run here when left out. */
  level?: VerificationLevel | undefined;
  idempotencyKey?: string | undefined;
}

/** What can be asked of verifications. */
@Injectable()
export class VerificationsService {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly backups: BackupQueries,
    private readonly queries: VerificationQueries,
    private readonly moves: VerificationMoves,
  ) {}

  /**
   * Asks for a verification. Gives the queued record, or, for a repeated idempotency key, the record of the first request.
   * @throws BackupNotFoundError, VerificationLevelUnavailableError
   * @throws BackupStateError when the backup is not completed
   * @throws IdempotencyKeyReusedError when the first request with this key asked for something else
   */
  async create({ backup: idOrFilename, level, idempotencyKey }: VerificationRequest): Promise<Verification> {
    const backup = await this.backups.get(idOrFilename);
    const verification = this.#row(backup, levelFor(backup.id, level), idempotencyKey ?? null);
    const make = (): Promise<Verification> => this.catalog.write((tx) => this.#insertIn(tx, verification));
    if (idempotencyKey === undefined) return make();
    return makeOnce(
      {
        find: () => this.catalog.read.findOneBy(Verification, { idempotencyKey }),
        giveUp: ({ id }) =>
          this.catalog.write((tx) =>
            tx.update(Verification, { id, idempotencyKey }, { idempotencyKey: null }),
          ),
        refuseUnlessFor: (first) => refuseUnlessFor(first, verification),
        make,
        isKeyTaken: (error) => violatesUnique(error, 'verifications', 'idempotency'),
      },
      this.clock,
    );
  }

  async #insertIn(tx: EntityManager, verification: Verification): Promise<Verification> {
    // Held, so that it cannot be removed before the verification shows as work on it.
    await holdCompleted(tx, verification.backupId, 'verified');
    // Its database may have been removed since the backup was looked at.
    const { databaseId } = await tx.findOneByOrFail(Backup, { id: verification.backupId });
    verification.databaseId = databaseId;
    await this.moves.insert(tx, verification);
    await this.queue.send(tx, {
      kind: 'verification',
      subjectId: verification.id,
      // To read the same bytes twice at once shows nothing more.
      exclusiveKey: `verification:${verification.backupId}`,
      runAfter: verification.createdAt,
    });
    return verification;
  }

  /**
   * Cancels a waiting verification at once, and asks a running one to stop; nothing of it runs 5 s later.
   * @throws VerificationNotFoundError, VerificationStateError when it has ended
   */
  async cancel(id: string): Promise<Verification> {
    await this.catalog.write(async (tx) => {
      const verification = await this.queries.get(id, tx);
      const asked = await tx.update(
        Verification,
        { id, status: In([...ACTIVE_STATUSES]) },
        { cancelRequested: true },
      );
      if (asked.affected !== 1) throw new VerificationStateError(id, verification.status, 'cancelled');
      if (!(await this.queue.withdraw(tx, 'verification', id))) return;
      const { code, message } = new VerificationCancelledError(id);
      await this.moves.move(tx, verification, 'cancelled', {
        completedAt: this.clock.now(),
        errorCode: code,
        errorDetail: message,
        errorRetryable: false,
      });
    });
    this.queue.cancel('verification', id, new VerificationCancelledError(id));
    return this.queries.get(id);
  }

  #row(backup: Backup, level: ScratchlessLevel, idempotencyKey: string | null): Verification {
    return Object.assign(new Verification(), {
      id: uuidv7(),
      backupId: backup.id,
      databaseId: backup.databaseId,
      databaseName: backup.databaseName,
      level,
      levelReached: null,
      status: 'queued',
      trigger: 'manual',
      createdAt: this.clock.now(),
      startedAt: null,
      completedAt: null,
      attempt: 0,
      interruptedAttempts: 0,
      cancelRequested: false,
      idempotencyKey,
      copies: [],
      errorCode: null,
      errorDetail: null,
      errorRetryable: null,
    } satisfies Verification);
  }
}

/** @throws IdempotencyKeyReusedError */
function refuseUnlessFor(first: Verification, { backupId, level }: Verification): void {
  if (first.backupId === backupId && first.level === level) return;
  throw new IdempotencyKeyReusedError(
    `verification ${first.id} of backup ${first.backupId} up to "${first.level}"`,
    { verification_id: first.id, backup_id: first.backupId, level: first.level },
  );
}
