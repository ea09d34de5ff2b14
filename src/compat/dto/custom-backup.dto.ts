import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';

import { NewBackupDto } from '../../backups/dto/new-backup.dto.js';

/** A backup that may go to another folder of the service's machine. */
export class CustomBackupDto extends NewBackupDto {
  /**
   * Folder of the service's machine, below one of BACKUP_DIR_ROOTS; made when it is not there. Left out: BACKUP_DIR.
   * @example '/mnt/backups/before-release'
   */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(1024)
  backup_dir?: string;
}
