import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsNumber, IsOptional, IsString, MaxLength } from 'class-validator';

import type { DefaultScheduleEdits } from '../default-schedules.js';
import { Omittable } from './omittable.js';
import { RetentionFields } from './retention-fields.dto.js';

/** When a database is backed up, in short, and what is kept: its default schedule and its policy. `/schedules` can say more. */
export class PlanFields extends RetentionFields {
  /**
   * Cron expression of its default schedule, five fields; `null` takes it away. Instead of `interval_hours`.
   * @example "0 3 * * *"
   */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  schedule?: string | null;

  /**
   * Hours between two backups of its default schedule; `null` takes it away. Instead of `schedule`.
   * @example 6
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 8760, nullable: true })
  @IsOptional()
  @IsNumber()
  interval_hours?: number | null;

  /**
   * IANA time zone in which `schedule` is read, and in which days, weeks and months of the policy begin; `null`: TIMEZONE.
   * @example "Asia/Jakarta"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  timezone?: string | null;

  /** Whether its default schedule runs. */
  @Omittable()
  @IsBoolean()
  enabled?: boolean;
}

/** In the words of the code. */
export function toDefaultScheduleEdits(dto: PlanFields): DefaultScheduleEdits {
  return {
    cron: dto.schedule,
    intervalHours: dto.interval_hours,
    timezone: dto.timezone,
    enabled: dto.enabled,
  };
}
