import { Injectable } from '@nestjs/common';

import { Environment } from '../config/environment.js';
import type { Connection } from '../engines/engine.js';
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
      tls: this.secrets.openTls(database),
    };
  }

  #read(field: string, variable: string | null): string | undefined {
    if (variable === null) return undefined;
    const value = this.environment.get(variable);
    if (value === undefined) throw new VariableMissingError(field, variable);
    return value;
  }
}
