import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

import { Omittable } from '../../databases/dto/omittable.js';
import { BlackoutDto } from './blackout.dto.js';

const MOST_SHOWN = 500;

/** How many runs are shown. */
export class PreviewQuery {
  /**
   * Number of runs.
   * @example 10
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MOST_SHOWN)
  count: number = 10;
}

/** A schedule to try out; nothing is saved. */
export class PreviewRequest {
  /**
   * Cron expression of five fields. Instead of `interval_hours`.
   * @example "30 2 * * *"
   */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  cron?: string | null;

  /**
   * Hours between two backups, from now on. Instead of `cron`.
   * @example 6
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 8760, nullable: true })
  @IsOptional()
  @IsNumber()
  interval_hours?: number | null;

  /**
   * IANA time zone; left out: TIMEZONE.
   * @example "Europe/Berlin"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  timezone?: string | null;

  /** Times in which no backup begins. */
  @Omittable()
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => BlackoutDto)
  blackouts?: BlackoutDto[];

  /**
   * Number of runs to show.
   * @example 10
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST_SHOWN)
  count: number = 10;
}
