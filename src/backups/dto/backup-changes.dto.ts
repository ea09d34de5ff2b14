import { IsBoolean, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator';

/** What may be changed of a backup. */
export class BackupChangesDto {
  /**
   * What to remember about it; `null` takes it away. A manifest that is already written keeps its own.
   * @example 'the last one with the old schema'
   */
  @IsOptional()
  @ValidateIf((_, value) => value !== null)
  @IsString()
  @MaxLength(1000)
  description?: string | null;

  /**
   * Nobody and nothing deletes a locked backup.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  locked?: boolean;
}
