import { DomainError } from '../errors/domain-error.js';
import { type Fault, faultText } from './fault.js';

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

/** Something in the file is wrong; nothing of it was applied, and the service does not start. */
export class ConfigFileInvalidError extends DomainError {
  constructor(
    path: string,
    readonly faults: readonly Fault[],
  ) {
    const count = faults.length === 1 ? 'is 1 fault' : `are ${faults.length} faults`;
    const lines = faults.map((fault) => `  ${faultText(fault)}`);
    super({
      code: 'config-file-invalid',
      kind: 'invalid',
      detail: [`there ${count} in ${path}, and nothing of it was applied:`, ...lines].join('\n'),
      facts: { path },
    });
  }
}

/** The file cannot be read at all, or CONFIG_FILE names one that is not there. */
export class ConfigFileUnreadableError extends DomainError {
  constructor(path: string, reason: string, cause?: unknown) {
    super({
      code: 'config-file-unreadable',
      kind: 'invalid',
      detail: `the file ${path} cannot be read: ${reason}`,
      facts: { path },
      ...(cause !== undefined && { cause }),
    });
  }
}
