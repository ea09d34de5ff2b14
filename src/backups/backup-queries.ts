import { Injectable } from '@nestjs/common';
import { In, type SelectQueryBuilder } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { isId } from '../databases/connection-rules.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupLog } from './backup-log.entity.js';
import type { BackupStatus, BackupTrigger } from './backup-states.js';
import { Backup } from './backup.entity.js';
import { BackupNotFoundError } from './backups.errors.js';

export interface BackupFilter {
  /** Id or name. */
  database?: string;
  status?: readonly BackupStatus[];
  trigger?: BackupTrigger;
  minEvidence?: number;
  from?: Date;
  to?: Date;
  /** Part of a file name or description. */
  text?: string;
}

/** Where the page before ended. */
export interface BackupPosition {
  createdAt: string;
  id: string;
}

/** A list shows what exists, or may come to exist, unless it is asked for something else. */
const HIDDEN_UNLESS_ASKED: BackupStatus = 'expired';

/** Questions about backups. */
@Injectable()
export class BackupQueries {
  constructor(private readonly catalog: Catalog) {}

  /**
   * @param idOrFilename an id, or the file name of an archive
   * @throws BackupNotFoundError
   */
  async get(idOrFilename: string): Promise<Backup> {
    const found =
      (await this.catalog.read.findOneBy(Backup, { id: idOrFilename })) ??
      // A name can come again only when the older archive is gone, so the newest is meant.
      (await this.catalog.read.findOne(Backup, {
        where: { filename: idOrFilename },
        order: { createdAt: 'DESC' },
      }));
    if (found === null) throw new BackupNotFoundError(idOrFilename);
    return found;
  }

  /** Newest first. */
  async page(filter: BackupFilter, limit: number, after?: BackupPosition): Promise<Backup[]> {
    const query = this.#filtered(filter);
    if (after) {
      query.andWhere('(b.created_at, b.id) < (:at, :id)', {
        at: after.createdAt,
        id: after.id,
      });
    }
    return query.orderBy('b.created_at', 'DESC').addOrderBy('b.id', 'DESC').limit(limit).getMany();
  }

  async count(filter: BackupFilter): Promise<number> {
    return this.#filtered(filter).getCount();
  }

  async copiesOf(backups: readonly Backup[]): Promise<Map<string, BackupCopy[]>> {
    const copies = await this.catalog.read.find(BackupCopy, {
      where: { backupId: In(backups.map((backup) => backup.id)) },
      order: { attempt: 'ASC' },
    });
    return Map.groupBy(copies, (copy) => copy.backupId);
  }

  /** What the tools printed, all attempts, oldest first. */
  async logsOf(backupId: string): Promise<BackupLog[]> {
    return this.catalog.read.find(BackupLog, { where: { backupId }, order: { attempt: 'ASC' } });
  }

  #filtered(filter: BackupFilter): SelectQueryBuilder<Backup> {
    const query = this.catalog.read.createQueryBuilder(Backup, 'b');
    // Not a list of all the others: that would be looked up by status, and then all of them sorted for one page.
    if (filter.status === undefined) query.where('b.status <> :hidden', { hidden: HIDDEN_UNLESS_ASKED });
    else query.where('b.status IN (:...status)', { status: filter.status });
    if (filter.database !== undefined) {
      // No name has the form of an id. Asked for both at once, SQLite would go through the backups of all databases.
      const column = isId(filter.database) ? 'b.database_id' : 'b.database_name';
      query.andWhere(`${column} = :database`, { database: filter.database });
    }
    if (filter.trigger !== undefined) query.andWhere('b.trigger = :trigger', { trigger: filter.trigger });
    if (filter.minEvidence !== undefined) {
      query.andWhere('b.evidence_level >= :evidence', { evidence: filter.minEvidence });
    }
    if (filter.from) query.andWhere('b.created_at >= :from', { from: filter.from.toISOString() });
    if (filter.to) query.andWhere('b.created_at < :to', { to: filter.to.toISOString() });
    if (filter.text !== undefined) {
      query.andWhere(
        String.raw`(LOWER(b.filename) LIKE :text ESCAPE '\' OR LOWER(b.description) LIKE :text ESCAPE '\')`,
        { text: `%${filter.text.toLowerCase().replace(/[\\%_]/g, String.raw`\$&`)}%` },
      );
    }
    return query;
  }
}
