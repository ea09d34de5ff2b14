import { fieldsOf } from '../http/view-fields.js';
import { BackupView } from './backup.view.js';

/** A backup that somebody has waited for. */
export class CompletedBackupView extends BackupView {
  /**
   * What was done, in words for people.
   * @example 'Backup completed: backup_shop_20261121_030000.dump.zst'
   */
  message: string;
  /**
   * When it was completed, in UTC; the same as `completed_at`.
   * @example '2026-11-21T03:00:07.512Z'
   */
  timestamp: string;
}

export function toCompletedBackupView(backup: BackupView): CompletedBackupView {
  const message = `Backup completed: ${backup.filename ?? backup.id}`;
  return { ...fieldsOf(backup), message, timestamp: backup.completed_at ?? backup.created_at };
}
