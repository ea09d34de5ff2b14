import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';

import { PageQuery } from '../../http/page.dto.js';
import type { VerificationFilter } from '../verification-queries.js';
import {
  SCRATCHLESS_LEVELS,
  type ScratchlessLevel,
  VERIFICATION_STATUSES,
  type VerificationStatus,
} from '../verification-states.js';

/** Filters of the list of verifications. */
export class VerificationListQuery extends PageQuery {
  /**
   * Id of a backup.
   * @example '019aa3f0-1111-7000-8000-000000000001'
   */
  @IsOptional()
  @IsString()
  @MaxLength(36)
  backup_id?: string;

  /**
   * Id of the registered database that was backed up.
   * @example '019aa3f0-2222-7000-8000-000000000002'
   */
  @IsOptional()
  @IsString()
  @MaxLength(36)
  database_id?: string;

  /**
   * One or several states, separated by commas.
   * @example 'failed'
   */
  @IsOptional()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : value) as unknown)
  @IsIn(VERIFICATION_STATUSES, { each: true })
  status?: VerificationStatus[];

  /**
   * Only those that were asked to show this.
   * @example 'readable'
   */
  @IsOptional()
  @IsIn(SCRATCHLESS_LEVELS)
  level?: ScratchlessLevel;
}

/** In the words of the code. */
export function toVerificationFilter(query: VerificationListQuery): VerificationFilter {
  return {
    ...(query.backup_id !== undefined && { backupId: query.backup_id }),
    ...(query.database_id !== undefined && { databaseId: query.database_id }),
    ...(query.status !== undefined && { status: query.status }),
    ...(query.level !== undefined && { level: query.level }),
  };
}
