import { Injectable } from '@nestjs/common';
import { In, type SelectQueryBuilder } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import { isId } from '../databases/connection-rules.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupLog } from './backup-log.entity.js';
import { BACKUP_STATUSES, type BackupStatus, type BackupTrigger } from './backup-states.js';
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
  /** Part of a file name or description. No index knows the parts of a text: those of all that the other filters leave are read. */
  text?: string;
}

/** Where the page before ended. */
export interface BackupPosition {
  createdAt: string;
  id: string;
}

/** A list shows what exists, or may come to exist, unless it is asked for something else. */
const SHOWN_UNLESS_ASKED = BACKUP_STATUSES.filter((status) => status !== 'expired');
/** States that a backup only passes through, so that few are in one of them. */
const UNDER_WAY: readonly BackupStatus[] = ['queued', 'running', 'expiring'];

/**
 * Questions about backups. What a list may be filtered by, all but words, stands in an index beside the order of the list: a page is
 * read there from its newest end until it is full, and a total is counted there, so that no row is read that is not shown.
 */
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
    query.where(...inStates(filter.status ?? SHOWN_UNLESS_ASKED));
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
      // The catalog lowers both sides: SQLite knows Latin letters only, and would not find an Ü that was lowered here.
      const found = String.raw`LIKE LOWER(:text) ESCAPE '\'`;
      query.andWhere(`(LOWER(b.filename) ${found} OR LOWER(b.description) ${found})`, {
        text: `%${filter.text.replace(/[\\%_]/g, String.raw`\$&`)}%`,
      });
    }
    return query;
  }
}

/**
 * Each state is a part of an index in which the newest comes first; of several parts all would have to be read and sorted for one page.
 * So they are looked up only where few are, and else the list is read in its order, and the other states passed over.
 */
function inStates(states: readonly BackupStatus[]): [condition: string, parameters: object] {
  if (states.length === 1 || states.every((status) => UNDER_WAY.includes(status)))
    return ['b.status IN (:...states)', { states }];
  const others = BACKUP_STATUSES.filter((status) => !states.includes(status));
  return others.length === 0 ? ['TRUE', {}] : ['b.status NOT IN (:...others)', { others }];
}
