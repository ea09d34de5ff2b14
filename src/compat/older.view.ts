import { ApiProperty, OmitType } from '@nestjs/swagger';

import type { BackupStatus } from '../backups/backup-states.js';
import { CompletedBackupView } from '../backups/completed-backup.view.js';
import { BackupStatsView, ServiceStatusView } from '../backups/stats.view.js';
import { RestoreView } from '../restore/restore.view.js';
import type { RestoreStatus } from '../restore/restore-states.js';
import { CleanupView } from '../retention/retention.view.js';

const TIMESTAMP = { example: '2026-11-21T03:00:07.512Z', description: 'When it was done, in UTC.' };
const MESSAGE = { example: 'Backup completed', description: 'The same in words for people.' };
const STATUS = { enum: ['success'], description: 'That it was done; what fails is answered with a problem.' };

/** A completed backup, as older services answered. */
export class OlderBackupView extends OmitType(CompletedBackupView, ['status'] as const) {
  @ApiProperty(STATUS)
  status: 'success';
  /**
   * What the record's `status` says.
   * @example 'completed'
   */
  backup_status: BackupStatus;
}

/** A backup that was deleted, or is being deleted. */
export class OlderRemovalView extends OmitType(CompletedBackupView, ['status'] as const) {
  /** `success` when nothing of it is left; `accepted` while the service goes on with it. */
  status: 'success' | 'accepted';
  /**
   * What the record's `status` says.
   * @example 'expired'
   */
  backup_status: BackupStatus;
}

/** A completed restore, as older services answered. */
export class OlderRestoreView extends OmitType(RestoreView, ['status'] as const) {
  @ApiProperty(STATUS)
  status: 'success';
  @ApiProperty(MESSAGE)
  message: string;
  /**
   * File name of the archive that was restored.
   * @example 'backup_shop_20261121_030000.dump.zst'
   */
  filename: string | null;
  @ApiProperty(TIMESTAMP)
  timestamp: string;
  /**
   * The database that holds the restored data.
   * @example 'shop_restored_20261121_031500'
   */
  restored_database: string;
  /**
   * What the record's `status` says.
   * @example 'completed'
   */
  restore_status: RestoreStatus;
}

/** What came of a cleanup, as older services answered. */
export class OlderCleanupView extends CleanupView {
  @ApiProperty(STATUS)
  status: 'success';
  @ApiProperty(MESSAGE)
  message: string;
  @ApiProperty(TIMESTAMP)
  timestamp: string;
}

/** The service at a glance, as older services answered. */
export class OlderStatusView extends ServiceStatusView {
  @ApiProperty(STATUS)
  status: 'success';
  @ApiProperty(TIMESTAMP)
  timestamp: string;
}

/** Totals, as older services answered. */
export class OlderStatsView extends BackupStatsView {
  @ApiProperty(STATUS)
  status: 'success';
  @ApiProperty(TIMESTAMP)
  timestamp: string;
}
