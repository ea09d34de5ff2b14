import type { BackupView } from '../backups/backup.view.js';
import { toCompletedBackupView } from '../backups/completed-backup.view.js';
import { fieldsOf } from '../http/view-fields.js';
import type { RestoreView } from '../restore/restore.view.js';
import type { CleanupView } from '../retention/retention.view.js';
import type { OlderBackupView, OlderCleanupView, OlderRemovalView, OlderRestoreView } from './older.view.js';

/*
 * Records of today with the fields that older services answered. Their `status` said whether the request was done; what `status` says
 * of a record stands beside it. `success` is said of what has ended well, and of nothing else.
 */

export function toOlderBackup(backup: BackupView): OlderBackupView {
  return { ...fieldsOf(toCompletedBackupView(backup)), status: 'success', backup_status: backup.status };
}

export function toOlderRemoval(backup: BackupView, now: Date): OlderRemovalView {
  const isGone = backup.status === 'expired';
  const name = backup.filename ?? backup.id;
  return {
    ...fieldsOf(backup),
    status: isGone ? 'success' : 'accepted',
    message: isGone ? `Backup deleted: ${name}` : `Backup is being deleted: ${name}`,
    timestamp: now.toISOString(),
    backup_status: backup.status,
  };
}

export function toOlderRestore(restore: RestoreView, filename: string | null, now: Date): OlderRestoreView {
  const name = restore.target.database_name;
  const where = restore.mode === 'new' ? `into the new database ${name}` : `in the place of ${name}`;
  return {
    ...fieldsOf(restore),
    status: 'success',
    message: `Restored ${where}`,
    filename,
    timestamp: restore.completed_at ?? now.toISOString(),
    restored_database: name,
    restore_status: restore.status,
  };
}

export function toOlderCleanup(cleanup: CleanupView): OlderCleanupView {
  const { deleted_count: count, pending_count: pending } = cleanup;
  const done = cleanup.dry_run ? 'would be deleted' : 'deleted';
  const rest = pending === 0 ? '' : `, ${pending} being deleted`;
  return {
    ...fieldsOf(cleanup),
    status: 'success',
    message: `${count} ${count === 1 ? 'backup' : 'backups'} ${done}${rest}`,
    timestamp: cleanup.cleanup_date,
  };
}
