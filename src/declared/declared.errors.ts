import { DomainError } from '../errors/domain-error.js';

/** A database that the environment names cannot be registered; the service does not start. */
export class EnvironmentDatabaseInvalidError extends DomainError {
  constructor(prefix: string, cause: unknown) {
    const why = cause instanceof DomainError ? cause.message : 'unexpected error';
    super({
      code: 'environment-database-invalid',
      kind: 'invalid',
      detail: `the database that ${prefix}_HOST and ${prefix}_DB name cannot be registered: ${why}`,
      facts: { prefix },
      cause,
    });
  }
}
