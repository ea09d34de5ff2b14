import { Injectable } from '@nestjs/common';
import { type EntityManager, In, Not } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';

import { Catalog } from '../catalog/catalog.js';
import { violatesUnique } from '../catalog/write-errors.js';
import { Clock } from '../clock/clock.js';
import { holdDatabase } from '../databases/database-rows.js';
import { Database } from '../databases/database.entity.js';
import { mergeRetention } from '../databases/retention-policy.js';
import { IdempotencyKeyReusedError } from '../idempotency/idempotency.errors.js';
import { isRemembered } from '../idempotency/idempotency.js';
import { Queue } from '../queue/queue.js';
import { isActive } from './backup-lifecycle.js';
import { BackupMoves } from './backup-moves.js';
import { BackupQueries } from './backup-queries.js';
import type { BackupTrigger } from './backup-states.js';
import { Backup } from './backup.entity.js';
import {
  BackupActiveError,
  BackupCancelledError,
  BackupFailedError,
  BackupStateError,
  DatabaseChoiceError,
  WaitTimeoutError,
} from './backups.errors.js';

export interface NewBackup {
  /** Id or name; may be left out when exactly one is registered. */
  database?: string | undefined;
  trigger: BackupTrigger;
  description?: string | undefined;
  locked?: boolean | undefined;
  idempotencyKey?: string | undefined;
  /** Name of the destination; the default one when left out. */
  destination?: string | undefined;
  /** An age limit of its own, in days, in place of its policy's limits. */
  retentionDays?: number | null | undefined;
  /** Whether retention looks at its database as soon as it has completed; true when left out. */
  cleanupOld?: boolean | undefined;
  /** The schedule that asks, and the moment for which it does. */
  schedule?: { id: string; slotAt: Date | null } | undefined;
}

/** How often a waiting request looks, in milliseconds. */
const LOOK_EVERY_MS = 100;

/** What can be asked of backups while they are made. */
@Injectable()
export class BackupsService {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly queries: BackupQueries,
    private readonly moves: BackupMoves,
  ) {}

  /**
   * Asks for a backup. Gives the queued record, or, for a repeated idempotency key, the record of the first request.
   * @throws DatabaseNotFoundError, DatabaseChoiceError, IdempotencyKeyReusedError
   * @throws RetentionInvalidError for an age limit that cannot be one
   * @throws BackupActiveError when one of this database waits or runs already (not for `pre_restore`, which waits its turn)
   */
  async create(request: NewBackup): Promise<Backup> {
    const { retentionDays } = request;
    if (typeof retentionDays === 'number') mergeRetention({}, { retentionDays });
    for (;;) {
      try {
        return await this.catalog.write((tx) => this.#createIn(tx, request));
      } catch (error) {
        // A request for another database was faster with the same key; the next look sees its backup.
        if (!violatesUnique(error, 'backups', 'idempotency')) throw error;
      }
    }
  }

  async #createIn(tx: EntityManager, request: NewBackup): Promise<Backup> {
    // Held, so that of two requests at once the second sees what the first has queued.
    const database = await holdDatabase(tx, request.database ?? (await theOnlyDatabase(tx)));
    const earlier = await findRepeated(tx, request.idempotencyKey, database, this.clock.now());
    if (earlier !== null) return earlier;
    if (request.trigger !== 'pre_restore') await refuseSecond(tx, database);
    return this.insert(tx, database, request);
  }

  /** Inserts a backup and its ticket in the caller's transaction, which holds the database (see `holdDatabase`). */
  async insert(tx: EntityManager, database: Database, request: Omit<NewBackup, 'database'>): Promise<Backup> {
    const backup = tx.create(Backup, {
      id: uuidv7(),
      databaseId: database.id,
      databaseName: database.name,
      databaseHost: database.host,
      engine: database.engine,
      status: 'queued',
      trigger: request.trigger,
      description: request.description ?? null,
      locked: request.locked ?? false,
      createdAt: this.clock.now(),
      attempt: 0,
      cancelRequested: false,
      idempotencyKey: request.idempotencyKey ?? null,
      retentionDays: request.retentionDays ?? null,
      cleanupOld: request.cleanupOld ?? null,
      destination: request.destination ?? null,
      scheduleId: request.schedule?.id ?? null,
      slotAt: request.schedule?.slotAt ?? null,
    });
    const inserted = await this.moves.insert(tx, backup);
    await this.queue.send(tx, {
      kind: 'backup',
      subjectId: backup.id,
      exclusiveKey: `backup:${database.id}`,
      lane: `host:${database.host}`,
      runAfter: backup.createdAt,
    });
    return inserted;
  }

  /**
   * Cancels a waiting backup at once, and asks a running one to stop; nothing of it runs 5 s later.
   * @throws BackupStateError when it has ended
   */
  async cancel(idOrFilename: string): Promise<Backup> {
    const { id } = await this.queries.get(idOrFilename);
    await this.catalog.write(async (tx) => {
      if (await this.queue.withdraw(tx, 'backup', id)) {
        await this.moves.move(tx, id, 'cancelled', {
          completedAt: this.clock.now(),
          cancelRequested: true,
          errorCode: 'backup-cancelled',
          errorDetail: 'Cancelled on request.',
          errorRetryable: false,
        });
        return;
      }
      const asked = await tx.update(
        Backup,
        { id, status: In(['queued', 'running']) },
        { cancelRequested: true },
      );
      if (asked.affected !== 1) {
        const now = await tx.findOneByOrFail(Backup, { id });
        throw new BackupStateError(id, now.status, 'cancelled');
      }
    });
    this.queue.cancel('backup', id, new BackupCancelledError(id));
    return this.queries.get(id);
  }

  /**
   * Changes what a person may change.
   * @throws BackupStateError when it is to be locked and is being removed already
   */
  async change(
    idOrFilename: string,
    changes: { description?: string | null; locked?: boolean },
  ): Promise<Backup> {
    const { id } = await this.queries.get(idOrFilename);
    const { description, locked } = changes;
    if (description !== undefined || locked !== undefined) {
      await this.catalog.write(async (tx) => {
        const changed = await tx.update(
          Backup,
          { id, ...(locked === true && { status: Not(In(['expiring', 'expired'])) }) },
          { ...(description !== undefined && { description }), ...(locked !== undefined && { locked }) },
        );
        if (changed.affected === 1) return;
        const { status } = await tx.findOneByOrFail(Backup, { id });
        throw new BackupStateError(id, status, 'locked');
      });
    }
    return this.queries.get(id);
  }

  /**
   * Resolves with the completed backup.
   * @throws BackupFailedError when it failed or was cancelled, WaitTimeoutError when `timeoutSeconds` are over,
   *   ShuttingDownError when the service stops before, and the signal's reason
   */
  async waitUntilCompleted(id: string, timeoutSeconds: number, signal?: AbortSignal): Promise<Backup> {
    const untilMs = this.clock.monotonicMs() + timeoutSeconds * 1000;
    const end = AbortSignal.any([this.queue.stopped, ...(signal ? [signal] : [])]);
    for (;;) {
      const backup = await this.queries.get(id);
      if (backup.status === 'completed') return backup;
      if (!isActive(backup.status)) {
        const error =
          backup.errorCode === null ? null : { code: backup.errorCode, detail: backup.errorDetail ?? '' };
        throw new BackupFailedError(id, backup.status, error);
      }
      if (this.clock.monotonicMs() >= untilMs) {
        throw new WaitTimeoutError(id, backup.status, timeoutSeconds, backup.errorDetail);
      }
      await this.clock.sleep(LOOK_EVERY_MS, end);
    }
  }
}

/** The backup that the first request with this key made; a key that is too old is given up. */
async function findRepeated(
  tx: EntityManager,
  idempotencyKey: string | undefined,
  database: Database,
  now: Date,
): Promise<Backup | null> {
  if (idempotencyKey === undefined) return null;
  const earlier = await tx.findOneBy(Backup, { idempotencyKey });
  if (earlier !== null && !isRemembered(earlier.createdAt, now)) {
    await tx.update(Backup, { id: earlier.id }, { idempotencyKey: null });
    return null;
  }
  if (earlier !== null && earlier.databaseId !== database.id) {
    throw new IdempotencyKeyReusedError(`backup ${earlier.id} of "${earlier.databaseName}"`, {
      backup_id: earlier.id,
      database: earlier.databaseName,
    });
  }
  return earlier;
}

async function theOnlyDatabase(tx: EntityManager): Promise<string> {
  const registered = await tx.find(Database, { order: { name: 'ASC' }, take: 20 });
  const [only] = registered;
  if (only === undefined || registered.length > 1) {
    throw new DatabaseChoiceError(registered.map((database) => database.name));
  }
  return only.id;
}

async function refuseSecond(tx: EntityManager, database: Database): Promise<void> {
  const active = await tx.findOne(Backup, {
    where: { databaseId: database.id, status: In(['queued', 'running']) },
    order: { createdAt: 'ASC' },
  });
  if (active !== null) throw new BackupActiveError(database.name, active.id, active.status);
}
