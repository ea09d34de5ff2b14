import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsNumber, IsOptional, IsString, MaxLength } from 'class-validator';

import { Omittable } from '../../databases/dto/omittable.js';

/** What is to be cleaned up. */
export class CleanupDto {
  /**
   * Id or name of a database; all of them when left out.
   * @example 'shop'
   */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  database_id?: string;

  /** Only say what would be deleted. */
  @Omittable()
  @IsBoolean()
  dry_run?: boolean;

  /**
   * Age limit in days for this time, in place of that of the policies; all other rules and every floor count.
   * @example 30
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @Omittable()
  @IsNumber()
  retention_days?: number;
}
