import { Injectable, type OnModuleInit } from '@nestjs/common';
import { In } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { reached } from '../process/phase-points.js';
import { LeaseLostError, ShuttingDownError } from '../queue/queue.errors.js';
import { type Lease, Queue } from '../queue/queue.js';
import { RestoreAttempt } from './restore-attempt.js';
import { isActive } from './restore-lifecycle.js';
import { RestoreOutcomes } from './restore-outcomes.js';
import { type RunningRestore, RunningRestores } from './restore-progress.js';
import { RestoreSettler } from './restore-settler.js';
import { Restore } from './restore.entity.js';
import { PlacementLostError, RestoreCancelledError } from './restore.errors.js';

/** Works off restore tickets: settles what a dead worker left, makes an attempt, and writes down how it went. */
@Injectable()
export class RestoreRunner implements OnModuleInit {
  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly running: RunningRestores,
    private readonly settler: RestoreSettler,
    private readonly attempts: RestoreAttempt,
    private readonly outcomes: RestoreOutcomes,
  ) {}

  onModuleInit(): void {
    this.queue.work(
      'restore',
      (lease) => this.run(lease),
      (ids) => this.#cancelled(ids),
    );
  }

  /** One claim of one restore. Resolves when its row and its ticket say what became of it. */
  async run(lease: Lease): Promise<void> {
    const restore = await this.catalog.read.findOneBy(Restore, { id: lease.subjectId });
    if (restore === null) return this.outcomes.forget(lease);
    reached('restore.claimed');
    const running = this.running.begin(restore);
    try {
      await this.#work(restore, running, lease);
    } finally {
      this.running.end(restore.id);
    }
  }

  async #work(restore: Restore, running: RunningRestore, lease: Lease): Promise<void> {
    const died = restore.status === 'running';
    const wasLost = restore.errorCode === PlacementLostError.code;
    try {
      if (died) await this.settler.fence(restore);
      await this.settler.settle(restore);
      reached('restore.settled');
    } catch (error) {
      return this.outcomes.unsettled(
        restore,
        wasLost ? new PlacementLostError('unknown', error) : error,
        lease,
      );
    }
    if (!isActive(restore.status)) return this.outcomes.cleaned(restore, lease);
    if (isPlaced(restore)) return this.#finish(restore, running, lease);
    if (restore.cancelRequested) return this.outcomes.cancelled(restore, lease);
    if (wasLost) return this.outcomes.failed(restore, new PlacementLostError('not placed'), lease);
    if (died && !(await this.outcomes.mayGoOnAfterDeath(restore, lease))) return;

    await this.outcomes.started(restore, lease);
    reached('restore.started');
    try {
      await this.attempts.run(restore, running, lease.signal);
    } catch (error) {
      return this.#fail(restore, running, error, lease);
    }
    await this.#finish(restore, running, lease);
  }

  async #cancelled(ids: readonly string[]): Promise<Map<string, Error>> {
    const where = { id: In([...ids]), cancelRequested: true };
    const rows = await this.catalog.read.find(Restore, { select: { id: true }, where });
    return new Map(rows.map(({ id }) => [id, new RestoreCancelledError(id)]));
  }

  async #finish(restore: Restore, running: RunningRestore, lease: Lease): Promise<void> {
    running.enter('cleaning');
    await this.attempts.tidy(restore);
    await this.outcomes.completed(restore, lease);
  }

  async #fail(restore: Restore, running: RunningRestore, error: unknown, lease: Lease): Promise<void> {
    // An abort is the cause; what the tools said when they were stopped is only its consequence.
    const cause: unknown = lease.signal.aborted ? lease.signal.reason : error;
    // Whoever holds the lease now settles what is on the server, and decides about the row.
    if (cause instanceof LeaseLostError) return this.settler.abandon(restore);
    running.enter('cleaning');
    if (restore.stage === 'placing') {
      try {
        await this.settler.settle(restore);
      } catch (trouble) {
        return this.outcomes.unsettled(restore, new PlacementLostError('unknown', trouble), lease);
      }
    }
    if (isPlaced(restore)) return this.#finish(restore, running, lease);
    await this.settler.tryClean(restore);
    if (cause instanceof ShuttingDownError) await this.outcomes.requeued(restore, cause, lease);
    else if (cause instanceof RestoreCancelledError) await this.outcomes.cancelled(restore, lease);
    else await this.outcomes.failed(restore, cause, lease);
  }
}

/** The settler has looked: the database has its final name. */
function isPlaced(restore: Restore): boolean {
  return restore.stage === 'placed';
}
