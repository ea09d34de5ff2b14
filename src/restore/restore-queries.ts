import { Injectable } from '@nestjs/common';
import { type EntityManager, type SelectQueryBuilder } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import type { RestoreStatus } from './restore-states.js';
import { Restore } from './restore.entity.js';
import { RestoreNotFoundError } from './restore.errors.js';

export interface RestoreFilter {
  backupId?: string;
  /** The registered database whose server was the target. */
  databaseId?: string;
  status?: readonly RestoreStatus[];
}

/** Where the page before ended. */
export interface RestorePosition {
  createdAt: string;
  id: string;
}

/** Questions about restores. */
@Injectable()
export class RestoreQueries {
  constructor(private readonly catalog: Catalog) {}

  /** @throws RestoreNotFoundError */
  async get(id: string, entities: EntityManager = this.catalog.read): Promise<Restore> {
    const found = await entities.findOneBy(Restore, { id });
    if (found === null) throw new RestoreNotFoundError(id);
    return found;
  }

  /** Newest first. */
  async page(filter: RestoreFilter, limit: number, after?: RestorePosition): Promise<Restore[]> {
    const query = this.#filtered(filter);
    if (after) {
      query.andWhere('(r.created_at < :at OR (r.created_at = :at AND r.id < :id))', {
        at: after.createdAt,
        id: after.id,
      });
    }
    return query.orderBy('r.created_at', 'DESC').addOrderBy('r.id', 'DESC').limit(limit).getMany();
  }

  async count(filter: RestoreFilter): Promise<number> {
    return this.#filtered(filter).getCount();
  }

  #filtered({ backupId, databaseId, status }: RestoreFilter): SelectQueryBuilder<Restore> {
    const query = this.catalog.read.createQueryBuilder(Restore, 'r').where('1 = 1');
    if (backupId !== undefined) query.andWhere('r.backup_id = :backupId', { backupId });
    if (databaseId !== undefined) query.andWhere('r.target_database_id = :databaseId', { databaseId });
    if (status !== undefined) query.andWhere('r.status IN (:...status)', { status });
    return query;
  }
}
