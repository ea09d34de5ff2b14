import { Injectable, type OnModuleInit } from '@nestjs/common';
import { In } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { reached } from '../process/phase-points.js';
import { LeaseLostError, ShuttingDownError } from '../queue/queue.errors.js';
import { type Lease, Queue } from '../queue/queue.js';
import type { CopyResult } from './copy-result.js';
import { VerificationAttempt } from './verification-attempt.js';
import { isActive } from './verification-lifecycle.js';
import { VerificationOutcomes } from './verification-outcomes.js';
import { type RunningVerification, RunningVerifications } from './verification-progress.js';
import { Verification } from './verification.entity.js';
import { VerificationCancelledError } from './verification.errors.js';

/**
 * Works off verification tickets. A verification only reads, so a dead worker leaves nothing to settle but the row; what it has
 * written down of a copy was true, and the next attempt reads that copy again.
 */
@Injectable()
export class VerificationRunner implements OnModuleInit {
  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly running: RunningVerifications,
    private readonly attempts: VerificationAttempt,
    private readonly outcomes: VerificationOutcomes,
  ) {}

  onModuleInit(): void {
    this.queue.work(
      'verification',
      (lease) => this.run(lease),
      (ids) => this.#cancelled(ids),
    );
  }

  /** One claim of one verification. Resolves when its row and its ticket say what became of it. */
  async run(lease: Lease): Promise<void> {
    const verification = await this.catalog.read.findOneBy(Verification, { id: lease.subjectId });
    if (verification === null || !isActive(verification.status)) return this.outcomes.forget(lease);
    reached('verification.claimed');
    const running = this.running.begin(verification);
    try {
      await this.#work(verification, running, lease);
    } finally {
      this.running.end(verification.id);
    }
  }

  async #work(verification: Verification, running: RunningVerification, lease: Lease): Promise<void> {
    if (verification.cancelRequested) return this.outcomes.cancelled(verification, lease);
    const died = verification.status === 'running';
    if (died && !(await this.outcomes.mayGoOnAfterDeath(verification, lease))) return;
    await this.outcomes.started(verification, lease);
    reached('verification.started');
    let copies: CopyResult[];
    try {
      copies = await this.attempts.run(verification, running, lease.signal);
    } catch (error) {
      return this.#stopped(verification, lease.signal.aborted ? lease.signal.reason : error, lease);
    }
    await this.outcomes.ended(verification, copies, lease);
  }

  async #stopped(verification: Verification, cause: unknown, lease: Lease): Promise<void> {
    // Whoever holds the lease now decides about the row.
    if (cause instanceof LeaseLostError) return;
    if (cause instanceof ShuttingDownError) await this.outcomes.requeued(verification, cause, lease);
    else if (cause instanceof VerificationCancelledError) await this.outcomes.cancelled(verification, lease);
    else await this.outcomes.failed(verification, cause, lease);
  }

  async #cancelled(ids: readonly string[]): Promise<Map<string, Error>> {
    const where = { id: In([...ids]), cancelRequested: true };
    const rows = await this.catalog.read.find(Verification, { select: { id: true }, where });
    return new Map(rows.map(({ id }) => [id, new VerificationCancelledError(id)]));
  }
}
