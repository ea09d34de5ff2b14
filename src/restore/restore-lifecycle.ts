import { RESTORE_STATUSES, type RestoreStage, type RestoreStatus } from './restore-states.js';

/** Which states may follow which. Everything else is a bug or a lost race, and is refused by the statement's condition. */
const FOLLOWS: Readonly<Record<RestoreStatus, readonly RestoreStatus[]>> = {
  // Straight to completed: the work had been done when its process died, and waited for the server to say so.
  queued: ['running', 'cancelled', 'failed', 'completed'],
  // Back to queued: a shutdown, or a dead worker.
  running: ['completed', 'failed', 'cancelled', 'queued'],
  completed: [],
  failed: [],
  cancelled: [],
};

export function mayFollow(from: RestoreStatus, to: RestoreStatus): boolean {
  return FOLLOWS[from].includes(to);
}

/** All states from which `to` can be reached; the `WHERE` of the conditional update. */
export function predecessorsOf(to: RestoreStatus): RestoreStatus[] {
  return RESTORE_STATUSES.filter((from) => mayFollow(from, to));
}

/** Waiting or at work. */
export function isActive(status: RestoreStatus): boolean {
  return status === 'queued' || status === 'running';
}

/** Once the names on the server may have changed, a restore ends as what it is, and no longer on request. */
export function mayBeCancelled(status: RestoreStatus, stage: RestoreStage): boolean {
  return isActive(status) && (stage === 'nothing' || stage === 'loading');
}
