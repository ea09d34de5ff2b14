import { Injectable } from '@nestjs/common';

import { Environment } from '../config/environment.js';
import type { Connection } from '../engines/engine.js';
import { DomainError } from '../errors/domain-error.js';
import { DatabaseSecrets } from './database-secrets.js';
import type { Database } from './database.entity.js';
import { VariableMissingError } from './databases.errors.js';

/** Makes the connection that an engine is handed. What it gives holds the password in clear: for one call, never kept. */
@Injectable()
export class ConnectionOpener {
  constructor(
    private readonly secrets: DatabaseSecrets,
    private readonly environment: Environment,
  ) {}

  /**
   * Opens the sealed secrets and reads the variables, anew at each call, so that a rotated secret file counts at once.
   *
   * @throws VariableMissingError when a variable that the database names is not set; also `variable-unreadable`,
   *   `secret-key-mismatch` and `secret-damaged`.
   */
  open(database: Database): Connection {
    const username = this.#read('username_var', database.usernameVar) ?? database.username ?? undefined;
    const password = this.#read('password_var', database.passwordVar) ?? this.secrets.openPassword(database);
    return {
      host: database.host,
      port: database.port,
      databaseName: database.databaseName,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      parameters: database.parameters,
      tls: this.secrets.openTls(database),
    };
  }

  /** What `open` would fail by now: the problems of its variables, by code. Nothing is opened. */
  foresee({
    usernameVar,
    passwordVar,
  }: Pick<Database, 'usernameVar' | 'passwordVar'>): { code: string; detail: string }[] {
    const problems: { code: string; detail: string }[] = [];
    for (const [field, variable] of [
      ['username_var', usernameVar],
      ['password_var', passwordVar],
    ] as const) {
      try {
        this.#read(field, variable);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        problems.push({ code: error.code, detail: error.message });
      }
    }
    return problems;
  }

  #read(field: string, variable: string | null): string | undefined {
    if (variable === null) return undefined;
    const value = this.environment.get(variable);
    if (value === undefined) throw new VariableMissingError(field, variable);
    return value;
  }
}
