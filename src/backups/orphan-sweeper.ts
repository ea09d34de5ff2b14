import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { In, MoreThan } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { reached } from '../process/phase-points.js';
import { DestinationMarks } from '../storage/destination-marks.js';
import { LOCAL_DESTINATION, StorageRegistry } from '../storage/storage-registry.js';
import { BackupCopy } from './backup-copy.entity.js';
import { Backup } from './backup.entity.js';
import { CopyCleaner } from './copy-cleaner.js';

/**
 * On a catalog that several services share, a part that nobody has written to for so long, and whose key no attempt at work has, is
 * nobody's: puts that no row tells of, such as that of a health check, last moments.
 */
const STILL_MS = 60 * 60_000;
/** How long after its beginning an attempt of a worker that lost its lease may still store something. */
const LATE_MS = 2 * 24 * 60 * 60_000;

/**
 * Removes what attempts left and could not remove themselves: copies that are unfinished while their backup no longer works
 * on them. Only objects named in a row are touched. Temporary parts of earlier processes go too, once, as soon as the storage can be
 * reached; where several services share a catalog, and with it the destination, every hour, and only those that are surely dead.
 */
@Injectable()
export class OrphanSweeper implements OnApplicationBootstrap {
  readonly #log = new Logger('Sweeper');
  #sweeping = false;
  /** Destinations whose parts of earlier processes are gone; those of this one are left alone. */
  readonly #swept = new Set<string>();

  constructor(
    private readonly catalog: Catalog,
    private readonly storages: StorageRegistry,
    private readonly cleaner: CopyCleaner,
    private readonly clock: Clock,
    private readonly marks: DestinationMarks,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.sweep();
  }

  /** Every hour; a sweep that takes longer is not overtaken by the next. */
  @Cron(CronExpression.EVERY_HOUR)
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      for (const name of new Set([LOCAL_DESTINATION, ...(await this.marks.destinations())])) {
        if (!this.#swept.has(name)) await this.#sweepParts(name);
      }
      for (const copy of await this.#orphans()) await this.#discard(copy);
      if (!this.catalog.hasSoleOwner) await this.#sweepLate();
    } catch (error) {
      this.#log.error({ err: error }, 'sweep ended early');
    } finally {
      this.#sweeping = false;
    }
  }

  /** Once there can be no more parts of earlier processes, the destination is left alone; so are those of this one. */
  async #sweepParts(destination: string): Promise<void> {
    const { hasSoleOwner } = this.catalog;
    const writtenSince = new Date(this.clock.now().getTime() - STILL_MS);
    const choice = hasSoleOwner ? {} : { sparing: { writtenSince, keys: () => this.#keysBeingWritten() } };
    try {
      const parts = await this.storages.open(destination).sweep(choice);
      if (hasSoleOwner) this.#swept.add(destination);
      if (parts > 0) this.#log.log({ destination, parts }, 'removed temporary parts of an earlier process');
    } catch (error) {
      // A destination that is away must not keep the service from starting: /health/ready tells of the default one.
      this.#log.error({ err: error, destination }, 'cannot sweep the destination; trying again in an hour');
    }
  }

  /**
   * Where several services work on one catalog, one of them may have stored an object of an attempt after another had discarded
   * that, and have died then. No worker sleeps for days and goes on.
   */
  async #sweepLate(): Promise<void> {
    const createdAt = MoreThan(new Date(this.clock.now().getTime() - LATE_MS));
    const discarded = await this.catalog.read.findBy(BackupCopy, { state: 'discarded', createdAt });
    for (const copy of discarded) {
      try {
        await this.cleaner.removeLate(copy);
      } catch (error) {
        this.#log.warn(
          { err: error, backupId: copy.backupId },
          'cannot look for what a late worker has stored; trying again',
        );
      }
    }
  }

  /** Of attempts at work anywhere, or of dead ones, which the next claim of their backup settles. */
  async #keysBeingWritten(): Promise<string[]> {
    const writing = await this.catalog.read.findBy(BackupCopy, { state: 'writing' });
    return writing.flatMap(({ keys }) => keys);
  }

  /** Unfinished copies of backups that have ended, or that are at a later attempt. */
  async #orphans(): Promise<BackupCopy[]> {
    return this.catalog.read
      .createQueryBuilder(BackupCopy, 'c')
      .innerJoin(Backup, 'b', 'b.id = c.backup_id')
      .where({ state: In(['writing', 'discarding']) })
      .andWhere("(b.status IN ('completed', 'failed', 'cancelled', 'expired') OR c.attempt < b.attempt)")
      .getMany();
  }

  async #discard(copy: BackupCopy): Promise<void> {
    reached('sweep.orphan-found');
    try {
      await this.cleaner.discardUnfinished(copy);
      this.#log.log({ backupId: copy.backupId, attempt: copy.attempt }, 'removed what a dead attempt left');
    } catch (error) {
      this.#log.warn(
        { err: error, backupId: copy.backupId },
        'cannot remove what a dead attempt left; trying again',
      );
    }
  }
}
