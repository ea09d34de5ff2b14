import { DomainError } from '../errors/domain-error.js';

/** What of an error is written to a row. What is not one of our own may hold anything, so only the service's log has that. */
export function toErrorTexts(cause: unknown): { code: string; detail: string; retryable: boolean } {
  if (cause instanceof DomainError) {
    return { code: cause.code, detail: cause.message, retryable: cause.retryable };
  }
  return {
    code: 'internal-error',
    detail: 'An unexpected error inside Backstop; the service log has it with this backup id.',
    retryable: true,
  };
}
