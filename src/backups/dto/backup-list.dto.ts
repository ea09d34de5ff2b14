import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';

import { PageQuery } from '../../http/page.dto.js';
import { TimeParameter } from '../../http/time-parameter.decorator.js';
import {
  BACKUP_STATUSES,
  BACKUP_TRIGGERS,
  type BackupStatus,
  type BackupTrigger,
  EVIDENCE_LEVELS,
  type EvidenceName,
} from '../backup-states.js';
import type { BackupFilter } from '../backup-queries.js';

/** Filters of the list of backups. Without `status`, everything but expired backups. */
export class BackupListDto extends PageQuery {
  /**
   * Id or name of a database.
   * @example 'shop'
   */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  database_id?: string;

  /**
   * One or several states, separated by commas.
   * @example 'completed'
   */
  @IsOptional()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : value) as unknown)
  @IsIn(BACKUP_STATUSES, { each: true })
  status?: BackupStatus[];

  /**
   * Only backups that were made for this reason.
   * @example 'manual'
   */
  @IsOptional()
  @IsIn(BACKUP_TRIGGERS)
  trigger?: BackupTrigger;

  /**
   * Only backups that have at least this evidence.
   * @example 'proven'
   */
  @IsOptional()
  @IsIn(EVIDENCE_LEVELS)
  evidence?: EvidenceName;

  /**
   * Created at this time or later.
   * @example '2026-11-01T00:00:00Z'
   */
  @IsOptional()
  @TimeParameter()
  from?: Date;

  /**
   * Created before this time.
   * @example '2026-12-01T00:00:00Z'
   */
  @IsOptional()
  @TimeParameter()
  to?: Date;

  /**
   * Part of a file name or a description, in any case (with a catalog in SQLite, letters beyond `a` to `z` as they are written). It
   * reads the names and descriptions of all backups that the other filters leave; `database_id` and `from` make that less.
   * @example 'release'
   */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  q?: string;
}

/** The wire's filters as the queries understand them. */
export function toBackupFilter(query: BackupListDto): BackupFilter {
  return {
    ...(query.database_id !== undefined && { database: query.database_id }),
    ...(query.status !== undefined && { status: query.status }),
    ...(query.trigger !== undefined && { trigger: query.trigger }),
    ...(query.evidence !== undefined && { minEvidence: EVIDENCE_LEVELS.indexOf(query.evidence) }),
    ...(query.from !== undefined && { from: query.from }),
    ...(query.to !== undefined && { to: query.to }),
    ...(query.q !== undefined && { text: query.q }),
  };
}
