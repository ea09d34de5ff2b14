import { IsBoolean, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator';

/** What may be changed of a backup. */
export class BackupChangesDto {
  /** @example 'the last one with the old schema' */
  @IsOptional()
  @ValidateIf((_, value) => value !== null)
  @IsString()
  @MaxLength(1000)
  description?: string | null;

  /** @example true */
  @IsOptional()
  @IsBoolean()
  locked?: boolean;
}
