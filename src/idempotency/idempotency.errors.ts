import { DomainError } from '../errors/domain-error.js';

/** The first request with this key asked for something else. */
export class IdempotencyKeyReusedError extends DomainError {
  /** @param first what that request has made, in words and in facts */
  constructor(first: string, facts: Readonly<Record<string, string>>) {
    super({
      code: 'idempotency-key-reused',
      kind: 'conflict',
      detail: `This Idempotency-Key belongs to ${first}. Use a new key; nothing was begun.`,
      facts,
    });
  }
}
