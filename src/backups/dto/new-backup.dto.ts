import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsNumber, IsOptional, IsString, MaxLength } from 'class-validator';

import type { NewBackup } from '../backups.service.js';

/** What is to be backed up, and why. */
export class NewBackupDto {
  /**
   * Id or name of the database. May be left out when exactly one is registered.
   * @example 'shop'
   */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  database_id?: string;

  /**
   * Why it is made; shown in lists and kept in the manifest.
   * @example 'before the 2.0 release'
   */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  description?: string;

  /**
   * Nobody and nothing deletes a locked backup.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  locked?: boolean;

  /**
   * It is kept for so many days, and then goes: its own limit, in place of the limits of its policy. What retention never deletes
   * stays longer.
   * @example 90
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @IsOptional()
  @IsNumber()
  retention_days?: number;

  /**
   * Whether retention looks at its database right after it has completed, as it does unless told otherwise. `false` leaves that to the
   * next hour; what goes is said by the policy in any case.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  cleanup_old?: boolean;
}

/** In the words of the code. */
export function toNewBackup(dto: NewBackupDto): Omit<NewBackup, 'trigger'> {
  return {
    database: dto.database_id ?? undefined,
    description: dto.description ?? undefined,
    locked: dto.locked ?? undefined,
    retentionDays: dto.retention_days,
    cleanupOld: dto.cleanup_old ?? undefined,
  };
}
