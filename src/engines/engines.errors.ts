import { DomainError } from '../errors/domain-error.js';

/** No engine is there for this kind of database. */
export class EngineUnknownError extends DomainError {
  constructor(kind: string, known: readonly string[]) {
    super({
      code: 'engine-unknown',
      kind: 'invalid',
      detail: `There is no engine ${JSON.stringify(kind)}. Known: ${known.join(', ')}.`,
      facts: { engine: kind, known },
    });
  }
}
