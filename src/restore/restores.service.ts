import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { holdCompleted } from '../backups/hold-backup.js';
import { Catalog } from '../catalog/catalog.js';
import { violatesUnique } from '../catalog/write-errors.js';
import { Clock } from '../clock/clock.js';
import { holdDatabase } from '../databases/database-rows.js';
import { IdempotencyKeyReusedError } from '../idempotency/idempotency.errors.js';
import { isRemembered } from '../idempotency/idempotency.js';
import { Queue } from '../queue/queue.js';
import { isActive, mayBeCancelled } from './restore-lifecycle.js';
import { RestoreMoves } from './restore-moves.js';
import { RestorePlanner, type RestoreRequest } from './restore-planner.js';
import { RestoreQueries } from './restore-queries.js';
import { Restore } from './restore.entity.js';
import {
  RestoreCancelledError,
  RestoreNotCompletedError,
  RestoreStateError,
  RestoreTargetBusyError,
  RestoreWaitTimeoutError,
} from './restore.errors.js';

/** How often a waiting request looks, in milliseconds. */
const LOOK_EVERY_MS = 100;

/** What can be asked of restores. */
@Injectable()
export class RestoresService {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly planner: RestorePlanner,
    private readonly queries: RestoreQueries,
    private readonly moves: RestoreMoves,
  ) {}

  /**
   * Asks for a restore. Gives the queued record, or, for a repeated idempotency key, the record of the first request.
   * @throws what the planner throws, and RestoreTargetBusyError when another restore aims at the same database
   * @throws IdempotencyKeyReusedError when the first request with this key asked for another restore
   */
  async create(request: RestoreRequest): Promise<Restore> {
    for (;;) {
      const first = await this.#firstOf(request);
      if (first !== null) return first;
      try {
        const inserted = await this.#insert(await this.planner.plan(request));
        if (inserted !== null) return inserted;
      } catch (error) {
        // What is in the way, of the target or of the key, may be the restore that the same request, sent twice, has just begun.
        const faster = await this.#firstOf(request);
        if (faster !== null) return faster;
        // Another request was faster with the name that we chose; the next plan sees that it is taken.
        if (!(error instanceof RestoreTargetBusyError) || !isNameOurs(request)) throw error;
      }
    }
  }

  /** The restore of the first request with this key. @throws IdempotencyKeyReusedError, and what the planner throws */
  async #firstOf(request: RestoreRequest): Promise<Restore | null> {
    const first = await findByKey(this.catalog.read, request.idempotencyKey);
    if (first === null || !isRemembered(first.createdAt, this.clock.now())) return null;
    if (await this.planner.isFor(first, request)) return first;
    const { id, backupId, targetDatabaseName: database } = first;
    throw new IdempotencyKeyReusedError(`restore ${id} of backup ${backupId} into "${database}"`, {
      restore_id: id,
      backup_id: backupId,
      database_name: database,
    });
  }

  /** Gives null when another request was faster with the same key or target, and is to be looked at. */
  async #insert(restore: Restore): Promise<Restore | null> {
    try {
      return await this.catalog.write((tx) => this.#insertIn(tx, restore));
    } catch (error) {
      if (!violatesUnique(error, 'restores', 'active_target')) throw error;
      await refuseSecond(this.catalog.read, restore);
      return null; // it has ended meanwhile
    }
  }

  async #insertIn(tx: EntityManager, restore: Restore): Promise<Restore | null> {
    // Held, so that neither can be removed before the restore shows as work on it.
    if (restore.targetDatabaseId !== null) await holdDatabase(tx, restore.targetDatabaseId);
    await holdCompleted(tx, restore.backupId, 'restored');
    const earlier = await findByKey(tx, restore.idempotencyKey ?? undefined);
    if (earlier !== null && isRemembered(earlier.createdAt, restore.createdAt)) return null;
    if (earlier !== null) await tx.update(Restore, { id: earlier.id }, { idempotencyKey: null });
    await refuseSecond(tx, restore);
    await this.moves.insert(tx, restore);
    await this.queue.send(tx, {
      kind: 'restore',
      subjectId: restore.id,
      lane: `host:${restore.targetHost}`,
      runAfter: restore.createdAt,
    });
    return restore;
  }

  /**
   * Cancels a waiting restore at once, and asks a running one to stop; 5 s later nothing of it runs or is left.
   * @throws RestoreStateError when it has ended, or when its database is being given the final name
   */
  async cancel(id: string): Promise<Restore> {
    await this.catalog.write(async (tx) => {
      const restore = await this.queries.get(id, tx);
      if (!mayBeCancelled(restore.status, restore.stage)) {
        throw new RestoreStateError(
          id,
          isActive(restore.status) ? 'being put in place' : restore.status,
          'cancelled',
        );
      }
      const { stage } = restore;
      const asked = await tx.update(
        Restore,
        { id, stage, status: In(['queued', 'running']) },
        { cancelRequested: true },
      );
      if (asked.affected !== 1) throw new RestoreStateError(id, 'changing', 'cancelled');
      if (!(await this.queue.withdraw(tx, 'restore', id))) return;
      if (stage === 'nothing') await this.#end(tx, restore);
      // It waits with something left on its server; a worker removes that, and does so now.
      else await this.queue.send(tx, { kind: 'restore', subjectId: id, runAfter: this.clock.now() });
    });
    this.queue.cancel('restore', id, new RestoreCancelledError(id));
    return this.queries.get(id);
  }

  /**
   * Resolves with the completed restore.
   * @throws RestoreNotCompletedError when it failed or was cancelled, RestoreWaitTimeoutError when `timeoutSeconds` are over
   */
  async waitUntilCompleted(id: string, timeoutSeconds: number, signal?: AbortSignal): Promise<Restore> {
    const untilMs = this.clock.monotonicMs() + timeoutSeconds * 1000;
    const end = AbortSignal.any([this.queue.stopped, ...(signal ? [signal] : [])]);
    for (;;) {
      const restore = await this.queries.get(id);
      if (restore.status === 'completed') return restore;
      if (!isActive(restore.status)) {
        const { errorCode: code, errorDetail: detail } = restore;
        throw new RestoreNotCompletedError(
          id,
          restore.status,
          code === null ? null : { code, detail: detail ?? '' },
        );
      }
      if (this.clock.monotonicMs() >= untilMs) {
        throw new RestoreWaitTimeoutError(id, restore.status, timeoutSeconds);
      }
      await this.clock.sleep(LOOK_EVERY_MS, end);
    }
  }

  async #end(tx: EntityManager, restore: Restore): Promise<void> {
    await this.moves.move(tx, restore, 'cancelled', {
      completedAt: this.clock.now(),
      activeTarget: null,
      connectionSealed: null,
      errorCode: 'restore-cancelled',
      errorDetail: 'Cancelled on request.',
      errorRetryable: false,
    });
  }
}

function isNameOurs(request: RestoreRequest): boolean {
  return request.mode === 'new' && request.target.databaseName === undefined;
}

async function findByKey(entities: EntityManager, key: string | undefined): Promise<Restore | null> {
  return key === undefined ? null : entities.findOneBy(Restore, { idempotencyKey: key });
}

/** The unique index on `active_target` decides in a race; this look gives the error its words. */
async function refuseSecond(entities: EntityManager, restore: Restore): Promise<void> {
  if (restore.activeTarget === null) return;
  const active = await entities.findOneBy(Restore, { activeTarget: restore.activeTarget });
  if (active !== null) {
    throw new RestoreTargetBusyError(active.id, active.status, active.targetDatabaseName);
  }
}
