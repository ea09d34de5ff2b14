import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';

import { Environment } from '../config/environment.js';
import type { DatabaseRequest } from '../databases/database-edits.js';
import { DatabaseNameTakenError } from '../databases/databases.errors.js';
import { DatabasesService } from '../databases/databases.service.js';
import type { EngineKind } from '../engines/engine.js';
import { EnvironmentDatabaseInvalidError } from './declared.errors.js';

/** Variables begin with the prefix: `POSTGRES_HOST`, … */
const KINDS: readonly { prefix: string; engine: EngineKind }[] = [
  { prefix: 'POSTGRES', engine: 'postgres' },
  { prefix: 'MONGO', engine: 'mongodb' },
];

/**
 * Registers the databases that the service's own environment names, so that one container needs no request to begin with. User
 * and password stay in the environment: the registration names their variables, so that a changed password counts at once.
 *
 * A database that is registered under that name already is left as it is: what somebody has changed by the API since must not
 * be undone by a restart.
 */
@Injectable()
export class EnvironmentDatabases implements OnApplicationBootstrap {
  readonly #log = new Logger('Databases');

  constructor(
    private readonly environment: Environment,
    private readonly databases: DatabasesService,
  ) {}

  /** @throws EnvironmentDatabaseInvalidError for what cannot be registered: the service does not start */
  async onApplicationBootstrap(): Promise<void> {
    for (const { prefix, engine } of KINDS) {
      const request = requestOf(prefix, engine, (name) => this.environment.get(name));
      if (request !== undefined) await this.#register(prefix, request);
    }
  }

  async #register(prefix: string, request: DatabaseRequest): Promise<void> {
    const { name, engine } = request;
    try {
      const { id } = await this.databases.register(request);
      this.#log.log({ id, name, engine }, 'registered the database that the environment names');
    } catch (error) {
      if (error instanceof DatabaseNameTakenError) return;
      throw new EnvironmentDatabaseInvalidError(prefix, error);
    }
  }
}

/** What the variables ask for; undefined unless both the host and the database are named. */
export function requestOf(
  prefix: string,
  engine: EngineKind,
  get: (name: string) => string | undefined,
): DatabaseRequest | undefined {
  const host = get(`${prefix}_HOST`);
  const databaseName = get(`${prefix}_DB`);
  if (host === undefined || databaseName === undefined) return undefined;
  const port = get(`${prefix}_PORT`);
  const varIfSet = (name: string): string | undefined => (get(name) === undefined ? undefined : name);
  return {
    name: registeredName(databaseName),
    engine,
    connection: {
      host,
      databaseName,
      // What is no number is refused by the rule for ports.
      port: port === undefined ? undefined : Number(port),
      usernameVar: varIfSet(`${prefix}_USER`),
      passwordVar: varIfSet(`${prefix}_PASSWORD`),
    },
    tls: {},
    options: {},
  };
}

/** A server allows any name for a database; ours stands in paths and labels. */
function registeredName(databaseName: string): string {
  return databaseName.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 63);
}
