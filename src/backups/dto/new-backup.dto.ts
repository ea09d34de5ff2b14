import { IsBoolean, IsOptional, IsString, MaxLength } from 'class-validator';

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
