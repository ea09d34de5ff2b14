import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type EntityManager, In, IsNull, MoreThan, Not } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { holdDatabase } from '../databases/database-rows.js';
import { reached } from '../process/phase-points.js';
import { type Lease, Queue } from '../queue/queue.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupMoves } from './backup-moves.js';
import { EVIDENCE_LEVELS } from './backup-states.js';
import { BackupUses } from './backup-uses.js';
import { Backup } from './backup.entity.js';
import { BackupInUseError, BackupLockedError, NewestProvenBackupError } from './backups.errors.js';
import { CopyCleaner } from './copy-cleaner.js';
import { toErrorTexts } from './row-error.js';

/** Evidence from which on the newest backup of a database is kept unless somebody insists. */
const WORTH_KEEPING = EVIDENCE_LEVELS.indexOf('proven');
/** How long a request waits for the end of a removal, and how often it looks. */
const WAIT_MS = 5000;
const LOOK_EVERY_MS = 20;
/** Pause before objects that could not be removed are tried again. */
const AGAIN_MS = 60_000;

/**
 * Removes backups: marked as `expiring` first, then the objects of every copy, then `expired`. A removal that fails or dies
 * midway stays `expiring` with its ticket and is tried again; the row is never forgotten while objects remain.
 */
@Injectable()
export class BackupRemoval implements OnModuleInit {
  readonly #log = new Logger('Removal');

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly moves: BackupMoves,
    private readonly cleaner: CopyCleaner,
    private readonly uses: BackupUses,
  ) {}

  onModuleInit(): void {
    this.queue.work('backup-removal', (lease) => this.run(lease));
  }

  /**
   * Marks a backup for removal, in the caller's transaction.
   * @throws BackupLockedError, NewestProvenBackupError (unless `force`), BackupStateError while it waits or runs
   * @throws BackupInUseError while it is being restored or verified
   */
  async request(tx: EntityManager, backupId: string, options: { force: boolean }): Promise<void> {
    const backup = await tx.findOneByOrFail(Backup, { id: backupId });
    // One at a time of a database: a floor that this deletion leaves standing must not fall to another one beside it.
    if (backup.databaseId !== null) await holdDatabase(tx, backup.databaseId);
    if (backup.status === 'expiring' || backup.status === 'expired') return;
    if (backup.locked) throw new BackupLockedError(backupId);
    if (!options.force) await refuseNewestProven(tx, backup);
    await this.moves.move(tx, backupId, 'expiring', {}, { locked: false });
    // Asked only now that the row is held: whoever begins to use it holds the row too, and finds it completed, or not.
    const active = await this.uses.of(tx, backupId);
    if (active.length > 0) throw new BackupInUseError(backupId, active);
    await this.queue.send(tx, {
      kind: 'backup-removal',
      subjectId: backupId,
      runAfter: this.clock.now(),
    });
  }

  /**
   * Marks a backup for removal and waits a little for the removal's end.
   * @returns the row: `expired`, or `expiring` when it takes longer
   * @throws what `request` throws
   */
  async removeNow(backupId: string, options: { force: boolean }): Promise<Backup> {
    await this.catalog.write((tx) => this.request(tx, backupId, options));
    reached('removal.requested');
    const untilMs = this.clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const backup = await this.catalog.read.findOneByOrFail(Backup, { id: backupId });
      if (backup.status === 'expired' || this.clock.monotonicMs() >= untilMs) return backup;
      await this.clock.sleep(LOOK_EVERY_MS);
    }
  }

  /** One claim of one removal. */
  async run(lease: Lease): Promise<void> {
    reached('removal.claimed');
    const copies = await this.catalog.read.findBy(BackupCopy, {
      backupId: lease.subjectId,
      state: Not('discarded'),
    });
    try {
      for (const copy of copies) {
        lease.signal.throwIfAborted();
        await this.cleaner.remove(copy);
      }
    } catch (error) {
      this.#log.warn(
        { err: error, backupId: lease.subjectId },
        'a backup could not be removed yet; trying again',
      );
      // Stopped with the service: nothing was in the way, and the next start goes on at once.
      const pauseMs = lease.signal.aborted ? 0 : AGAIN_MS;
      const now = this.clock.now();
      await this.catalog.write(async (tx) => {
        await this.queue.postpone(tx, lease, new Date(now.getTime() + pauseMs));
        if (!lease.signal.aborted)
          await tx.update(Backup, { id: lease.subjectId }, toRemovalError(error, now));
      });
      return;
    }
    reached('removal.objects-gone');
    await this.catalog.write(async (tx) => {
      await this.moves.move(tx, lease.subjectId, 'expired', NO_REMOVAL_ERROR);
      // What its tools printed helps nobody any more.
      await this.moves.deleteLogs(tx, lease.subjectId);
      await this.queue.finish(tx, lease);
    });
    reached('removal.expired');
    this.#log.log({ backupId: lease.subjectId }, 'backup removed');
  }
}

type RemovalError = Pick<Backup, 'removalErrorCode' | 'removalErrorDetail' | 'removalErrorAt'>;

const NO_REMOVAL_ERROR: RemovalError = {
  removalErrorCode: null,
  removalErrorDetail: null,
  removalErrorAt: null,
};

function toRemovalError(cause: unknown, removalErrorAt: Date): RemovalError {
  const { code, detail } = toErrorTexts(cause);
  return { removalErrorCode: code, removalErrorDetail: detail, removalErrorAt };
}

async function refuseNewestProven(tx: EntityManager, backup: Backup): Promise<void> {
  if (backup.evidenceLevel === null || backup.evidenceLevel < WORTH_KEEPING) return;
  const newer = await tx.findOneBy(Backup, {
    databaseId: backup.databaseId ?? IsNull(),
    databaseName: backup.databaseName,
    status: 'completed',
    id: Not(In([backup.id])),
    createdAt: MoreThan(backup.createdAt),
    evidenceLevel: MoreThan(WORTH_KEEPING - 1),
  });
  if (newer === null)
    throw new NewestProvenBackupError(backup.id, EVIDENCE_LEVELS[backup.evidenceLevel] ?? '');
}
