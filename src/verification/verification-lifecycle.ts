import { VERIFICATION_STATUSES, type VerificationStatus } from './verification-states.js';

/** Which states may follow which. Everything else is a bug or a lost race, and is refused by the statement's condition. */
const FOLLOWS: Readonly<Record<VerificationStatus, readonly VerificationStatus[]>> = {
  queued: ['running', 'cancelled'],
  // Back to queued: a shutdown, or a dead worker.
  running: ['completed', 'failed', 'cancelled', 'queued'],
  completed: [],
  failed: [],
  cancelled: [],
};

export function mayFollow(from: VerificationStatus, to: VerificationStatus): boolean {
  return FOLLOWS[from].includes(to);
}

/** All states from which `to` can be reached; the `WHERE` of the conditional update. */
export function predecessorsOf(to: VerificationStatus): VerificationStatus[] {
  return VERIFICATION_STATUSES.filter((from) => mayFollow(from, to));
}

/** Waiting or at work. */
export const ACTIVE_STATUSES = ['queued', 'running'] as const satisfies readonly VerificationStatus[];

export function isActive(status: VerificationStatus): boolean {
  return ACTIVE_STATUSES.some((active) => active === status);
}
