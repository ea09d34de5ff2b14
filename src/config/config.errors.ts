import { DomainError } from '../errors/domain-error.js';

/** One wrong setting, by the name of its environment variable. */
export interface ConfigProblem {
  name: string;
  detail: string;
}

/** The service cannot start; `facts.problems` lists every wrong setting, so that one look is enough. */
export class ConfigInvalidError extends DomainError {
  constructor(readonly problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 setting is wrong' : `${problems.length} settings are wrong`;
    const lines = problems.map((problem) => `  ${problem.name} ${problem.detail}`);
    super({ code: 'config-invalid', kind: 'invalid', detail: [`${count}:`, ...lines].join('\n') });
  }
}

/** `NAME` and `NAME_FILE` are both set, or the file cannot be read. */
export class VariableUnreadableError extends DomainError {
  constructor(name: string, detail: string) {
    super({ code: 'variable-unreadable', kind: 'unprocessable', detail, facts: { variable: name } });
  }
}

/** A database's `username_var` or `password_var` names one of Backstop's own secrets. */
export class VariableReservedError extends DomainError {
  constructor(name: string) {
    super({
      code: 'variable-reserved',
      kind: 'invalid',
      detail: `${name} is one of Backstop's own settings and is never sent to a database; use another variable`,
      facts: { variable: name },
    });
  }
}
