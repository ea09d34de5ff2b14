import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

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
}

/** Whether the request waits for the result. */
export class WaitQueryDto {
  /**
   * Answer only when the backup is completed (200) or has failed (problem): a gate for deployments.
   * @example 'completed'
   */
  @IsOptional()
  @IsIn(['completed'])
  wait?: 'completed';

  /**
   * Longest time to wait, in seconds.
   * @example 600
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(86_400)
  timeout_seconds: number = 3600;
}
