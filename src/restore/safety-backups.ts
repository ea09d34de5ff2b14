import { Injectable } from '@nestjs/common';

import { isActive } from '../backups/backup-lifecycle.js';
import { BackupQueries } from '../backups/backup-queries.js';
import { Backup } from '../backups/backup.entity.js';
import { BackupsService } from '../backups/backups.service.js';
import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { reached } from '../process/phase-points.js';
import { ShuttingDownError } from '../queue/queue.errors.js';
import { RestoreTargetMissingError, SafetyBackupFailedError } from './restore.errors.js';
import { Restore } from './restore.entity.js';

/** How often the safety backup is looked at, in milliseconds. */
const LOOK_EVERY_MS = 200;

/** Backs up a database before it is replaced, and keeps the replacing out of the way of other backups of it. */
@Injectable()
export class SafetyBackups {
  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly backups: BackupsService,
    private readonly queries: BackupQueries,
  ) {}

  /**
   * Resolves when the database that `restore` replaces has been backed up. When the signal aborts, the backup is cancelled
   * too, unless the service is stopping: then it waits, like the restore, for the next start.
   * @throws SafetyBackupFailedError, or the signal's reason
   */
  async take(restore: Restore, signal: AbortSignal): Promise<void> {
    const { id } = await this.#request(restore);
    reached('restore.safety-requested');
    try {
      const ended = await this.#untilEnded(id, signal);
      if (ended.status === 'completed') return;
      const error =
        ended.errorCode === null ? null : { code: ended.errorCode, detail: ended.errorDetail ?? '' };
      throw new SafetyBackupFailedError(id, ended.status, error);
    } catch (error) {
      if (signal.aborted && !(signal.reason instanceof ShuttingDownError)) await this.#cancel(id);
      throw error;
    }
  }

  /**
   * Resolves when no backup of the database that `restore` replaces is being made: a scheduled one that began meanwhile is no
   * reason to fail a restore of hours, nor one to be broken by the swap.
   * @returns whether there was one to wait for
   */
  async untilNoneRuns(restore: Restore, signal: AbortSignal): Promise<boolean> {
    const { targetDatabaseId: databaseId } = restore;
    if (databaseId === null) return false;
    let didRun = false;
    while (await this.catalog.read.existsBy(Backup, { databaseId, status: 'running' })) {
      didRun = true;
      await this.clock.sleep(LOOK_EVERY_MS, signal);
    }
    return didRun;
  }

  /** A new one for each attempt: an older one does not hold what was written since. One that still waits does. */
  async #request(restore: Restore): Promise<Backup> {
    if (restore.targetDatabaseId === null) {
      throw new RestoreTargetMissingError('the registered database was deleted meanwhile');
    }
    const earlier =
      restore.safetyBackupId === null ? undefined : await this.queries.get(restore.safetyBackupId);
    if (earlier?.status === 'queued') return earlier;
    const backup = await this.backups.create({
      database: restore.targetDatabaseId,
      trigger: 'pre_restore',
      description: `before restore ${restore.id} replaces the database`,
    });
    await this.catalog.write((tx) => tx.update(Restore, { id: restore.id }, { safetyBackupId: backup.id }));
    return backup;
  }

  async #untilEnded(id: string, signal: AbortSignal): Promise<Backup> {
    for (;;) {
      signal.throwIfAborted();
      const backup = await this.queries.get(id);
      if (!isActive(backup.status)) return backup;
      await this.clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #cancel(id: string): Promise<void> {
    await this.backups.cancel(id).catch(() => undefined); // it has ended by itself
  }
}
