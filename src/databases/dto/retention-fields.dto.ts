import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsNumber, IsOptional } from 'class-validator';

import { type RetentionChanges, RULE_NAMES, RULES } from '../retention-policy.js';

const LIMIT = { type: 'integer', minimum: 1, nullable: true } as const;
const COUNT = { type: 'integer', minimum: 0, nullable: true } as const;

/** The rules of a retention policy. A limit that is `null` is none; the service's own limits count for who sets neither. */
export class RetentionFields {
  /**
   * Backups older than so many days are deleted; `null`: of any age they are kept.
   * @example 30
   */
  @ApiPropertyOptional(LIMIT)
  @IsOptional()
  @IsNumber()
  retention_days?: number | null;

  /**
   * Backups with so many newer ones are deleted; `null`: of any number they are kept.
   * @example 100
   */
  @ApiPropertyOptional(LIMIT)
  @IsOptional()
  @IsNumber()
  max_backups?: number | null;

  /**
   * So many good ones stay, whatever the other rules say.
   * @example 3
   */
  @ApiPropertyOptional(COUNT)
  @IsOptional()
  @IsNumber()
  min_backups?: number | null;

  /**
   * Of the last so many hours that have backups, the newest one of each stays, whatever the limits say.
   * @example 24
   */
  @ApiPropertyOptional(COUNT)
  @IsOptional()
  @IsNumber()
  keep_hourly?: number | null;

  /**
   * The same for days, in the time zone of the default schedule.
   * @example 7
   */
  @ApiPropertyOptional(COUNT)
  @IsOptional()
  @IsNumber()
  keep_daily?: number | null;

  /**
   * The same for weeks, which begin on Monday.
   * @example 5
   */
  @ApiPropertyOptional(COUNT)
  @IsOptional()
  @IsNumber()
  keep_weekly?: number | null;

  /**
   * The same for months.
   * @example 12
   */
  @ApiPropertyOptional(COUNT)
  @IsOptional()
  @IsNumber()
  keep_monthly?: number | null;

  /**
   * The same for years.
   * @example 3
   */
  @ApiPropertyOptional(COUNT)
  @IsOptional()
  @IsNumber()
  keep_yearly?: number | null;
}

/** In the words of the code. */
export function toRetentionChanges(dto: RetentionFields): RetentionChanges {
  const changes: RetentionChanges = {};
  for (const rule of RULES) {
    const value = dto[RULE_NAMES[rule]];
    if (value !== undefined) changes[rule] = value;
  }
  return changes;
}
