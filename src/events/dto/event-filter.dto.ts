import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';

import { EVENT_NAMES, type EventName } from '../event-names.js';

/** What of the stream is wanted. */
export class EventFilterDto {
  /**
   * Only what belongs to this database: its id, or its name at the time.
   * @example 'shop'
   */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  database_id?: string;

  /**
   * Only what happens to this backup, restore, verification, schedule or database.
   * @example '019aa6a4-6f00-7000-8000-2f1f3c6b1d20'
   */
  @IsOptional()
  @IsString()
  @MaxLength(36)
  subject_id?: string;

  /**
   * Only events of these names, separated by commas.
   * @example 'BackupCompleted,BackupFailed'
   */
  @IsOptional()
  @Transform(({ value }) => (typeof value === 'string' ? value.split(',') : value) as unknown)
  @IsIn(EVENT_NAMES, { each: true })
  name?: EventName[];

  /** Whether progress is told too. */
  @IsOptional()
  @Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : (value as unknown)))
  @IsBoolean()
  progress: boolean = true;

  /**
   * Begin behind the event with this number, as with the header `Last-Event-ID`, which wins. Left out: only what happens from now on.
   * @example 4711
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  after?: number;
}
