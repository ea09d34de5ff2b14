import { BACKUP_STATUSES, type BackupStatus } from './backup-states.js';

/** Which states may follow which. Everything else is a bug or a lost race, and is refused by the statement's condition. */
const FOLLOWS: Readonly<Record<BackupStatus, readonly BackupStatus[]>> = {
  queued: ['running', 'cancelled', 'failed'],
  // Back to queued: a retry, a shutdown, or a dead worker.
  running: ['completed', 'failed', 'cancelled', 'queued'],
  completed: ['expiring'],
  failed: ['expiring'],
  cancelled: ['expiring'],
  expiring: ['expired'],
  expired: [],
};

export function mayFollow(from: BackupStatus, to: BackupStatus): boolean {
  return FOLLOWS[from].includes(to);
}

/** All states from which `to` can be reached; the `WHERE` of the conditional update. */
export function predecessorsOf(to: BackupStatus): BackupStatus[] {
  return BACKUP_STATUSES.filter((from) => mayFollow(from, to));
}

/** Waiting or at work: there may be only one of a database. */
export function isActive(status: BackupStatus): boolean {
  return status === 'queued' || status === 'running';
}

/** Nothing more happens to it by itself. */
export function isSettled(status: BackupStatus): boolean {
  return !isActive(status) && status !== 'expiring';
}
