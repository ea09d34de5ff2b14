import { Injectable, Logger } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { In, LessThan } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { BackupMoves } from './backup-moves.js';
import { BackupLog } from './backup-log.entity.js';
import { Backup } from './backup.entity.js';

const DAY_MS = 86_400_000;
/** Backups whose logs go in one transaction. */
const BATCH = 100;

/**
 * Forgets what the tools printed during backups that came to nothing, when their events are forgotten. That of a backup which can be
 * restored stays as long as it (see `BackupRemoval`).
 */
@Injectable()
export class LogPruner {
  readonly #log = new Logger('Backup');
  #pruning = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly moves: BackupMoves,
  ) {}

  /** Every hour; one that takes longer is not overtaken by the next. Never rejects. */
  @Cron(CronExpression.EVERY_HOUR)
  async prune(): Promise<void> {
    if (this.#pruning) return;
    this.#pruning = true;
    try {
      for (;;) {
        const ids = await this.#ended();
        await this.catalog.write(async (tx) => {
          for (const id of ids) await this.moves.deleteLogs(tx, id);
        });
        if (ids.length < BATCH) break;
      }
    } catch (error) {
      this.#log.error({ err: error }, 'old logs of backups could not be removed; trying again in an hour');
    } finally {
      this.#pruning = false;
    }
  }

  /** Those that have ended long ago without a result and still have a log. Nothing brings such a one back. */
  async #ended(): Promise<string[]> {
    const before = new Date(this.clock.now().getTime() - this.config.eventKeepDays * DAY_MS);
    const rows = await this.catalog.read
      .createQueryBuilder(Backup, 'b')
      .select('b.id', 'id')
      .where({ status: In(['failed', 'cancelled', 'expired']), completedAt: LessThan(before) })
      .andWhere((query) => {
        const own = query.subQuery().select('1').from(BackupLog, 'l').where('l.backup_id = b.id');
        return `EXISTS ${own.getQuery()}`;
      })
      .limit(BATCH)
      .getRawMany<{ id: string }>();
    return rows.map(({ id }) => id);
  }
}
