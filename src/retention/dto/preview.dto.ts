import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

import { RetentionFields } from '../../databases/dto/retention-fields.dto.js';

const MOST_DAYS = 366;
const MOST_BACKUPS = 5000;

/** How much of a preview is shown. */
export class RetentionPreviewQuery {
  /**
   * Days to play forward.
   * @example 30
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MOST_DAYS)
  days: number = 30;

  /**
   * Backups to list, newest first; the totals count all of them.
   * @example 500
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MOST_BACKUPS)
  limit: number = 500;
}

/** A policy to try out. Nothing is saved; the service's own limits count when neither limit is given. */
export class RetentionTrial extends RetentionFields {
  /**
   * Days to play forward.
   * @example 90
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MOST_DAYS, default: 30 })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MOST_DAYS)
  days: number = 30;
}
