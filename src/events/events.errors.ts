import { DomainError } from '../errors/domain-error.js';

/** A client of the event stream takes nothing; its connection is ended. The client sees the end, the log may show this. */
export class SlowListenerError extends DomainError {
  constructor(seconds: number) {
    super({
      code: 'listener-too-slow',
      kind: 'timeout',
      detail: `a listener of /events took nothing for ${seconds} s and was let go; it can go on with its Last-Event-ID`,
      retryable: true,
      facts: { seconds },
    });
  }
}
