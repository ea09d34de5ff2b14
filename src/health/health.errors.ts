import { DomainError } from '../errors/domain-error.js';

/** Something that the service needs does not work; `facts` has each part with its state. */
export class NotReadyError extends DomainError {
  constructor(parts: Readonly<Record<string, { status: string }>>) {
    const down = Object.keys(parts).filter((name) => parts[name]?.status !== 'up');
    super({
      code: 'not-ready',
      kind: 'unavailable',
      detail: `not working: ${down.join(', ')}`,
      retryable: true,
      facts: parts,
    });
  }
}
