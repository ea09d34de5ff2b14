import { resolve } from 'node:path';

import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { Config } from '../config/config.js';
import { Environment } from '../config/environment.js';
import { ConnectionOpener } from '../databases/connection-opener.js';
import { readConfigText } from './config-text.js';
import { type Applied, DeclarationApplier, type Declared } from './declaration-applier.js';
import { readDeclarations } from './declarations.js';
import { ConfigFileUnreadableError } from './declared.errors.js';
import { environmentDatabases } from './environment-databases.js';

/** Where the file is looked for when CONFIG_FILE does not say; there it may be absent. */
export const DEFAULT_CONFIG_FILE = 'config/config.yaml';

/**
 * Applies what the file and the environment declare, at every start, before anything works: the first look for due schedules sees the
 * new ones, and a wrong file stops a service that has done nothing yet.
 */
@Injectable()
export class DeclaredAtStart implements OnModuleInit {
  readonly #log = new Logger('Declared');

  constructor(
    private readonly config: Config,
    private readonly environment: Environment,
    private readonly applier: DeclarationApplier,
    private readonly connections: ConnectionOpener,
  ) {}

  /** @throws ConfigFileUnreadableError, ConfigFileInvalidError, EnvironmentDatabaseInvalidError: the service does not start */
  async onModuleInit(): Promise<void> {
    const file = await this.#readFile();
    const environment = environmentDatabases((name) => this.environment.get(name));
    if (file === undefined && environment.length === 0) return;
    const applied = await this.applier.apply({ file, environment });
    this.#tell(applied, file);
    this.#warn(file);
  }

  async #readFile(): Promise<Declared['file']> {
    const { configFile } = this.config;
    const path = configFile ?? resolve(DEFAULT_CONFIG_FILE);
    const text = await readConfigText(path);
    if (text !== undefined) return { path, declarations: readDeclarations(text) };
    if (configFile === null) return undefined;
    throw new ConfigFileUnreadableError(path, 'there is no such file, and CONFIG_FILE names it');
  }

  #tell(applied: readonly Applied[], file: Declared['file']): void {
    for (const { kind, outcome, ...what } of applied) this.#log.log(what, `${kind} ${outcome} as declared`);
    if (file === undefined) return;
    const { databases, schedules } = file.declarations;
    const counts = { databases: databases.length, schedules: schedules.length, written: applied.length };
    this.#log.log({ file: file.path, ...counts }, 'the configuration file is applied');
  }

  /** The variables may come later; until then the backups of these databases fail, and nobody should learn that at night. */
  #warn(file: Declared['file']): void {
    for (const { name, edits } of file?.declarations.databases ?? []) {
      const { usernameVar = null, passwordVar = null } = edits.connection;
      for (const { code, detail } of this.connections.foresee({ usernameVar, passwordVar })) {
        this.#log.warn(
          { database: name, code, reason: detail },
          'a declared database cannot be connected to',
        );
      }
    }
  }
}
