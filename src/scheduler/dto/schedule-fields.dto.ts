import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
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
import { RetentionFields, toRetentionChanges } from '../../databases/dto/retention-fields.dto.js';
import { CATCH_UPS, type CatchUp } from '../schedule.entity.js';
import type { ScheduleEdits } from '../schedule-edits.js';
import { BlackoutDto } from './blackout.dto.js';

/** What may be said of a schedule. Its retention rules, when any is given, count for its own backups in place of the database's. */
export class ScheduleFields extends RetentionFields {
  /**
   * Unique within its database; `default` is the one that the database's own fields speak of.
   * @example "nightly"
   */
  @Omittable()
  @IsString()
  @MaxLength(63)
  name?: string;

  /**
   * Cron expression of five fields, as in crontab(5). Instead of `interval_hours`.
   * @example "0 3 * * *"
   */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  cron?: string | null;

  /**
   * Hours between two backups, counted from when this was set. Instead of `cron`.
   * @example 6
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 8760, nullable: true })
  @IsOptional()
  @IsNumber()
  interval_hours?: number | null;

  /**
   * IANA time zone in which `cron` and the blackouts are read; `null` or left out: TIMEZONE.
   * @example "Asia/Jakarta"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  timezone?: string | null;

  /** Whether it runs; true when left out. */
  @Omittable()
  @IsBoolean()
  enabled?: boolean;

  /**
   * What becomes of runs that were missed because the service was down: the newest is made up for (`run`), or none (`skip`).
   * @example "run"
   */
  @Omittable()
  @IsIn(CATCH_UPS)
  catch_up?: CatchUp;

  /**
   * Each run begins up to so many seconds after its time, so that many databases do not begin at once.
   * @example 300
   */
  @Omittable()
  @IsInt()
  @Min(0)
  @Max(3600)
  jitter_seconds?: number;

  /** Times in which no backup begins. */
  @Omittable()
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => BlackoutDto)
  blackouts?: BlackoutDto[];
}

/** A schedule to make. */
export class NewSchedule extends ScheduleFields {
  /**
   * Id or name of the database.
   * @example "shop"
   */
  @IsString()
  @MaxLength(63)
  database_id: string;
}

/** A whole schedule that takes the place of another; what is left out has its default. */
export class WholeSchedule extends ScheduleFields {
  /**
   * Its database, which cannot be another than before; may be left out.
   * @example "019aa5c5-3f7e-7000-8000-2b1f6c0e4d11"
   */
  @Omittable()
  @IsString()
  @MaxLength(63)
  database_id?: string;
}

/** In the words of the code. */
export function toScheduleEdits(dto: ScheduleFields): ScheduleEdits {
  const retention = toRetentionChanges(dto);
  return {
    name: dto.name,
    cron: dto.cron,
    intervalHours: dto.interval_hours,
    timezone: dto.timezone,
    enabled: dto.enabled,
    catchUp: dto.catch_up,
    jitterSeconds: dto.jitter_seconds,
    blackouts: dto.blackouts?.map(({ days, from, to }) => ({ ...(days && { days }), from, to })),
    ...(Object.keys(retention).length > 0 && { retention }),
  };
}

/** The same for a whole one: everything that is not said goes back to its default, but for the name, which stays. */
export function toWholeEdits(dto: WholeSchedule): ScheduleEdits {
  const edits = toScheduleEdits(dto);
  return {
    name: edits.name,
    cron: edits.cron ?? null,
    intervalHours: edits.intervalHours ?? null,
    timezone: edits.timezone ?? null,
    enabled: edits.enabled ?? true,
    catchUp: edits.catchUp ?? 'run',
    jitterSeconds: edits.jitterSeconds ?? 0,
    blackouts: edits.blackouts ?? [],
    retention: edits.retention ?? null,
    isWhole: true,
  };
}
