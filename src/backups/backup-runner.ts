import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { In } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { DomainError } from '../errors/domain-error.js';
import { reached } from '../process/phase-points.js';
import { LeaseLostError } from '../queue/queue.errors.js';
import { type Lease, Queue } from '../queue/queue.js';
import { AttemptSettler, type SurvivedAttempt } from './attempt-settler.js';
import type { AttemptResult } from './backup-attempt.js';
import { BackupLauncher } from './backup-launcher.js';
import { BackupOutcomes } from './backup-outcomes.js';
import { type RunningBackup, RunningBackups } from './backup-progress.js';
import { Backup } from './backup.entity.js';
import { BackupCancelledError } from './backups.errors.js';

/** Works off backup tickets: settles what a dead worker left, makes an attempt, and writes down how it went. */
@Injectable()
export class BackupRunner implements OnModuleInit {
  readonly #log = new Logger('Backup');

  constructor(
    private readonly catalog: Catalog,
    private readonly queue: Queue,
    private readonly running: RunningBackups,
    private readonly settler: AttemptSettler,
    private readonly launcher: BackupLauncher,
    private readonly outcomes: BackupOutcomes,
  ) {}

  onModuleInit(): void {
    this.queue.work(
      'backup',
      (lease) => this.run(lease),
      (ids) => this.#cancelled(ids),
    );
  }

  /** One claim of one backup. Resolves when its row and its ticket say what became of it. */
  async run(lease: Lease): Promise<void> {
    const backup = await this.catalog.read.findOneBy(Backup, { id: lease.subjectId });
    if (backup === null) return this.outcomes.forget(lease);
    reached('backup.claimed');
    const running = this.running.begin(backup);
    try {
      await this.#work(backup, running, lease);
    } finally {
      this.running.end(backup.id);
    }
  }

  async #work(backup: Backup, running: RunningBackup, lease: Lease): Promise<void> {
    running.enter('recovering');
    let survived: SurvivedAttempt | undefined;
    try {
      survived = await this.settler.settle(backup.id, lease.signal);
    } catch (error) {
      const cause: unknown = lease.signal.aborted ? lease.signal.reason : error;
      if (cause instanceof LeaseLostError) return;
      if (!(cause instanceof BackupCancelledError)) return this.outcomes.unsettled(backup, cause, lease);
      return this.#fail(backup, running, error, lease);
    }
    reached('backup.settled');
    if (survived) return this.#adopt(backup, survived, lease);
    if (backup.cancelRequested) return this.outcomes.cancelled(backup, lease);
    if (backup.status === 'running' && !(await this.outcomes.requeueAfterDeath(backup, lease))) return;

    const attempt = backup.attempt + 1;
    if (!(await this.outcomes.started(backup, attempt, lease))) return;
    reached('backup.started');
    backup.attempt = attempt;
    this.#log.log({ backupId: backup.id, database: backup.databaseName, attempt }, 'backup started');
    let result: AttemptResult;
    try {
      result = await this.launcher.attempt(backup, attempt, running, lease.signal);
    } catch (error) {
      return this.#fail(backup, running, error, lease);
    }
    // From here on the archive is good whatever the catalog says: when this throws, nothing is removed that somebody else has not
    // discarded, and the next claim finds the manifest and completes the row from it.
    try {
      await this.outcomes.completed(backup.id, attempt, result, running.log.toString(), lease);
    } catch (error) {
      await this.outcomes.abandon(backup.id, attempt);
      throw error;
    }
  }

  /** The dead worker had written the manifest: the backup is good, and is completed from it. */
  async #adopt(backup: Backup, survived: SurvivedAttempt, lease: Lease): Promise<void> {
    this.#log.log({ backupId: backup.id }, 'the backup of a dead process is whole; completing it');
    await this.outcomes.completed(backup.id, survived.copy.attempt, survived, '', lease);
  }

  async #cancelled(ids: readonly string[]): Promise<Map<string, Error>> {
    const where = { id: In([...ids]), cancelRequested: true };
    const rows = await this.catalog.read.find(Backup, { select: { id: true }, where });
    return new Map(rows.map(({ id }) => [id, new BackupCancelledError(id)]));
  }

  async #fail(backup: Backup, running: RunningBackup, error: unknown, lease: Lease): Promise<void> {
    // An abort is the cause; what the tools said when they were stopped is only its consequence.
    const cause: unknown = lease.signal.aborted ? lease.signal.reason : error;
    // Whoever holds the lease now settles this attempt, and may already have found it good.
    if (cause instanceof LeaseLostError) return this.outcomes.abandon(backup.id, backup.attempt);
    running.enter('cleaning');
    reached('backup.failing');
    // What is not one of our sentences may hold anything; it stands in the service's log alone.
    running.log.add(
      `backstop: ${cause instanceof DomainError ? cause.message : 'unexpected error, see the service log'}`,
    );
    await this.outcomes.discardAttempt(backup.id, backup.attempt, cause);
    const text = running.log.toString();
    if (cause instanceof BackupCancelledError) {
      await this.outcomes.cancelled(backup, lease, text);
    } else {
      await this.outcomes.failed(backup, cause, text, lease);
    }
  }
}
