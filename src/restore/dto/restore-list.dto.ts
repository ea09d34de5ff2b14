import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';

import { PageQuery } from '../../http/page.dto.js';
import type { RestoreFilter } from '../restore-queries.js';
import { RESTORE_STATUSES, type RestoreStatus } from '../restore-states.js';

/** Filters of the list of restores. */
export class RestoreListQuery extends PageQuery {
  /**
   * Id of a backup.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  @IsOptional()
  @IsString()
  @MaxLength(36)
  backup_id?: string;

  /**
   * Id of the registered database that was restored to.
   * @example '019aa3f0-2222-7000-8000-000000000002'
   */
  @IsOptional()
  @IsString()
  @MaxLength(36)
  database_id?: string;

  /**
   * One or several states, separated by commas.
   * @example 'completed'
   */
  @IsOptional()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : value) as unknown)
  @IsIn(RESTORE_STATUSES, { each: true })
  status?: RestoreStatus[];
}

/** In the words of the code. */
export function toRestoreFilter(query: RestoreListQuery): RestoreFilter {
  return {
    ...(query.backup_id !== undefined && { backupId: query.backup_id }),
    ...(query.database_id !== undefined && { databaseId: query.database_id }),
    ...(query.status !== undefined && { status: query.status }),
  };
}
