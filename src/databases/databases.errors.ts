import { DomainError } from '../errors/domain-error.js';

export class DatabaseNotFoundError extends DomainError {
  constructor(idOrName: string) {
    super({
      code: 'database-not-found',
      kind: 'not-found',
      detail: `No database is registered with the id or name ${JSON.stringify(idOrName)}.`,
    });
  }
}

export class DatabaseNameTakenError extends DomainError {
  constructor(name: string) {
    super({
      code: 'database-name-taken',
      kind: 'conflict',
      detail: `A database is already registered under the name ${name}. Choose another name, or change that one.`,
      facts: { name },
    });
  }
}

/** The name under which a database is registered is refused. */
export class DatabaseNameInvalidError extends DomainError {
  constructor(complaint: string) {
    super({ code: 'database-name-invalid', kind: 'invalid', detail: `The name ${complaint}.` });
  }
}

export class DatabaseBusyError extends DomainError {
  constructor(name: string, active: readonly { kind: string; id: string }[]) {
    const words = active.map((work) => `${work.kind} ${work.id}`).join(', ');
    super({
      code: 'database-busy',
      kind: 'conflict',
      detail: `${name} cannot be removed while work on it is not over: ${words}. Wait for it, or cancel it.`,
      retryable: true,
      facts: { active },
    });
  }
}

export class HostInvalidError extends DomainError {
  constructor(complaint: string) {
    super({ code: 'host-invalid', kind: 'invalid', detail: `The host ${complaint}.` });
  }
}

export class PortInvalidError extends DomainError {
  constructor() {
    super({
      code: 'port-invalid',
      kind: 'invalid',
      detail: 'The port must be a whole number from 1 to 65535.',
    });
  }
}

/** `database_name`, the name on the server, cannot be the name of a database there. */
export class RemoteNameInvalidError extends DomainError {
  constructor(complaint: string) {
    super({ code: 'remote-name-invalid', kind: 'invalid', detail: `The database_name ${complaint}.` });
  }
}

export class CredentialsInvalidError extends DomainError {
  constructor(field: string, complaint: string) {
    super({
      code: 'credentials-invalid',
      kind: 'invalid',
      detail: `The ${field} ${complaint}.`,
      facts: { field },
    });
  }
}

export class CredentialsAmbiguousError extends DomainError {
  constructor(one: string, other: string) {
    super({
      code: 'credentials-ambiguous',
      kind: 'invalid',
      detail: `Both ${one} and ${other} are given, and only one of them can count. Leave one out.`,
      facts: { fields: [one, other] },
    });
  }
}

/** A stored password goes to the server that it was given for, and to no other. */
export class PasswordNeededError extends DomainError {
  /** @param moved the fields that lead to another server */
  constructor(moved: readonly string[]) {
    super({
      code: 'password-needed',
      kind: 'invalid',
      detail:
        `This changes ${moved.join(', ')}, and the stored password was given for another server. Send the password again ` +
        'in the same request, or name a variable with password_var. Nothing was changed.',
      facts: { moved },
    });
  }
}

export class ConnectionAmbiguousError extends DomainError {
  constructor(field: string) {
    super({
      code: 'connection-ambiguous',
      kind: 'invalid',
      detail: `Both the uri and ${field} say it, and only one of them can count. Leave it out of one.`,
      facts: { fields: ['uri', field] },
    });
  }
}

export class ConnectionIncompleteError extends DomainError {
  constructor(missing: readonly string[]) {
    super({
      code: 'connection-incomplete',
      kind: 'invalid',
      detail: `Missing: ${missing.join(' and ')}. Give it as a field, or as a part of uri.`,
      facts: { missing },
    });
  }
}

/** One of the `parameters` of a connection is refused. Its value is not repeated. */
export class ConnectionParameterInvalidError extends DomainError {
  constructor(parameter: string, complaint: string) {
    super({
      code: 'connection-parameter-invalid',
      kind: 'invalid',
      detail: `The connection's parameter ${JSON.stringify(parameter)} ${complaint}.`,
      facts: { parameter },
    });
  }
}

export class TlsInvalidError extends DomainError {
  constructor(field: string, complaint: string) {
    super({
      code: 'tls-invalid',
      kind: 'invalid',
      detail: `The tls field ${field} ${complaint}.`,
      facts: { field },
    });
  }
}

export class OptionsInvalidError extends DomainError {
  constructor(option: string, complaint: string) {
    super({
      code: 'options-invalid',
      kind: 'invalid',
      detail: `The option ${option} ${complaint}.`,
      facts: { option },
    });
  }
}

export class VariableMissingError extends DomainError {
  constructor(field: string, variable: string) {
    super({
      code: 'variable-missing',
      kind: 'unprocessable',
      detail:
        `${field} names the environment variable ${variable}, which the service does not have. ` +
        `Set ${variable} or ${variable}_FILE and start the service again.`,
      facts: { field, variable },
    });
  }
}

export class ProbeTimeoutError extends DomainError {
  constructor(name: string, seconds: number) {
    super({
      code: 'probe-timed-out',
      kind: 'timeout',
      detail: `The server of ${name} took a connection but did not answer all questions within ${seconds} s.`,
      retryable: true,
      facts: { seconds },
    });
  }
}

/** A rule of a retention policy cannot be what was asked. */
export class RetentionInvalidError extends DomainError {
  constructor(field: string, complaint: string) {
    super({
      code: 'retention-invalid',
      kind: 'invalid',
      detail: `The retention rule ${field} ${complaint}.`,
      facts: { field },
    });
  }
}
