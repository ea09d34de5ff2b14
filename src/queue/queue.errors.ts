import { DomainError } from '../errors/domain-error.js';

/** Somebody else may be working on the same row by now: whatever this worker still wants to write must not be written. */
export class LeaseLostError extends DomainError {
  constructor(kind: string, subjectId: string) {
    super({
      code: 'lease-lost',
      kind: 'conflict',
      detail: `This worker no longer holds the lease on ${kind} ${subjectId}; its result was thrown away.`,
      retryable: true,
      facts: { kind, subject_id: subjectId },
    });
  }
}

/** The service is stopping and the grace time is over. The work goes back to the queue. */
export class ShuttingDownError extends DomainError {
  constructor() {
    super({
      code: 'shutting-down',
      kind: 'unavailable',
      detail: 'The service is stopping. The work goes on when it is started again.',
      retryable: true,
    });
  }
}
