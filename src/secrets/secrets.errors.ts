import { DomainError } from '../errors/domain-error.js';

/** A sealed value belongs to another key than the one in use. */
export class SecretKeyMismatchError extends DomainError {
  constructor(sealedBy: string, inUse: string) {
    super({
      code: 'secret-key-mismatch',
      kind: 'unprocessable',
      detail:
        `A stored secret was sealed with the key ${sealedBy}, but the key in use is ${inUse}. ` +
        'Start with the former key (BACKSTOP_SECRET_KEY or the key file), or enter the secret again.',
      facts: { sealed_by: sealedBy, in_use: inUse },
    });
  }
}

/** A sealed value is not what was sealed: cut, changed, or moved here from another record. */
export class SecretDamagedError extends DomainError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'secret-damaged',
      kind: 'unprocessable',
      detail: `A stored secret cannot be opened: ${reason}. Enter the secret again.`,
      cause,
    });
  }
}

/** The key itself cannot be used; the service does not start without one. */
export class SecretKeyUnusableError extends DomainError {
  constructor(reason: string, cause?: unknown) {
    super({
      code: 'secret-key-unusable',
      kind: 'invalid',
      detail: `The key that seals stored secrets cannot be used: ${reason}`,
      cause,
    });
  }
}
