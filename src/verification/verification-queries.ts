import { Injectable } from '@nestjs/common';
import { type EntityManager, type SelectQueryBuilder } from 'typeorm';

import { Catalog } from '../catalog/catalog.js';
import type { ScratchlessLevel, VerificationStatus } from './verification-states.js';
import { Verification } from './verification.entity.js';
import { VerificationNotFoundError } from './verification.errors.js';

export interface VerificationFilter {
  backupId?: string;
  databaseId?: string;
  status?: readonly VerificationStatus[];
  level?: ScratchlessLevel;
}

/** Where the page before ended. */
export interface VerificationPosition {
  createdAt: string;
  id: string;
}

/** Questions about verifications. */
@Injectable()
export class VerificationQueries {
  constructor(private readonly catalog: Catalog) {}

  /** @throws VerificationNotFoundError */
  async get(id: string, entities: EntityManager = this.catalog.read): Promise<Verification> {
    const found = await entities.findOneBy(Verification, { id });
    if (found === null) throw new VerificationNotFoundError(id);
    return found;
  }

  /** Newest first. */
  async page(
    filter: VerificationFilter,
    limit: number,
    after?: VerificationPosition,
  ): Promise<Verification[]> {
    const query = this.#filtered(filter);
    if (after) {
      query.andWhere('(v.created_at, v.id) < (:at, :id)', { at: after.createdAt, id: after.id });
    }
    return query.orderBy('v.created_at', 'DESC').addOrderBy('v.id', 'DESC').limit(limit).getMany();
  }

  async count(filter: VerificationFilter): Promise<number> {
    return this.#filtered(filter).getCount();
  }

  #filtered({ backupId, databaseId, status, level }: VerificationFilter): SelectQueryBuilder<Verification> {
    const query = this.catalog.read.createQueryBuilder(Verification, 'v').where('1 = 1');
    if (backupId !== undefined) query.andWhere('v.backup_id = :backupId', { backupId });
    if (databaseId !== undefined) query.andWhere('v.database_id = :databaseId', { databaseId });
    if (status !== undefined) query.andWhere('v.status IN (:...status)', { status });
    if (level !== undefined) query.andWhere('v.level = :level', { level });
    return query;
  }
}
