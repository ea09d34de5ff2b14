import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { DatabaseOptions } from '../database-options.js';
import type { Database, StoredTls } from '../database.entity.js';
import type { DefaultSchedule } from '../default-schedules.js';
import { PlanView, toPlanView } from './plan.view.js';

/** How the connection is protected. Texts that are not secret are shown as they were given. */
export class TlsView {
  /**
   * How much is asked of the server: `disable`, `prefer`, `require`, `verify-ca` or `verify-full`.
   * @example "verify-full"
   */
  mode: string;

  /**
   * Certificates of the authorities that are trusted, in PEM; absent: none were given.
   * @example "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n"
   */
  ca?: string;

  /**
   * Our certificate, in PEM, for servers that ask for one; absent: none was given.
   * @example "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n"
   */
  cert?: string;

  /** `set` when there is a private key. It is never shown. */
  key?: 'set';
}

/** The options that were set; of the others the defaults count. */
export class OptionsView {
  /**
   * Kind of dump that the tool writes: for PostgreSQL `custom` or `plain`, for MongoDB `archive`.
   * @example "custom"
   */
  format?: string;

  /**
   * How the dump is compressed: `zstd`, `gzip` or `none`.
   * @example "zstd"
   */
  compression?: string;

  /**
   * 1 to 22 for `zstd`, 1 to 9 for `gzip`; higher is smaller and slower.
   * @example 3
   */
  @ApiPropertyOptional({ type: 'integer' })
  compression_level?: number;

  /**
   * The only collections that are backed up; all when empty.
   * @example ["orders"]
   */
  include_tables?: string[];

  /**
   * Tables or collections that are left out with their data.
   * @example ["public.sessions"]
   */
  exclude_tables?: string[];

  /**
   * Only these schemas are backed up; all when empty.
   * @example ["public"]
   */
  schemas?: string[];

  /** Whether the server's roles (without their passwords) are kept beside the dump. */
  include_roles?: boolean;

  /** Whether each table's rows are hashed, so that a restored copy can be compared to the last value. */
  hash_content?: boolean;

  /**
   * What makes the dump, where there is a choice.
   * @example "auto"
   */
  tool?: string;

  /**
   * The longest that one attempt may take, in seconds.
   * @example 7200
   */
  @ApiPropertyOptional({ type: 'integer' })
  timeout_seconds?: number;

  /**
   * An attempt in which no byte moves for so many seconds is aborted.
   * @example 600
   */
  @ApiPropertyOptional({ type: 'integer' })
  stall_seconds?: number;
}

/** Something that will fail if nobody does anything. */
export class WarningView {
  /**
   * The code of the problem that it will be.
   * @example "variable-missing"
   */
  code: string;

  /**
   * What is wrong, and what to do about it.
   * @example "password_var names the environment variable SHOP_PASSWORD, which the service does not have. Set SHOP_PASSWORD or SHOP_PASSWORD_FILE and start the service again."
   */
  detail: string;
}

/** A registered database. */
export class DatabaseView extends PlanView {
  /**
   * Stays the same for as long as the registration lives, also when it is renamed.
   * @example "019aa5c5-3f7e-7000-8000-2b1f6c0e4d11"
   */
  id: string;

  /**
   * Its unique name; it may stand for the id in paths, and is part of the names of its archives.
   * @example "shop"
   */
  name: string;

  /**
   * The kind of database; `GET /engines` lists them.
   * @example "postgres"
   */
  engine: string;

  /**
   * Name or address of its server.
   * @example "db.example.com"
   */
  host: string;

  /**
   * TCP port of its server.
   * @example 5432
   */
  @ApiProperty({ type: 'integer' })
  port: number;

  /**
   * What the database is called on its server; absent: every database there.
   * @example "shop"
   */
  database_name?: string;

  /**
   * User that Backstop connects as; absent when there is none, or `username_var` names it.
   * @example "backup"
   */
  username?: string;

  /**
   * Environment variable of the service that holds the user name, instead of `username`.
   * @example "SHOP_USER"
   */
  username_var?: string;

  /** `set` when a password is stored. It is never shown. */
  password?: 'set';

  /**
   * Environment variable of the service that holds the password, instead of a stored one.
   * @example "SHOP_PASSWORD"
   */
  password_var?: string;

  /**
   * What else is needed to connect; absent: nothing.
   * @example { "replicaSet": "rs0" }
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  parameters?: Record<string, string>;

  /** How the connection to the server is protected. */
  tls: TlsView;

  /** How it is backed up, as far as that was set. */
  options: OptionsView;

  /**
   * When it was registered, in UTC.
   * @example "2026-11-21T03:00:00.000Z"
   */
  created_at: string;

  /**
   * When the registration was last changed, in UTC.
   * @example "2026-11-21T03:00:00.000Z"
   */
  updated_at: string;
}

/** A database as it was just registered or changed, with what would fail now. */
export class SavedDatabaseView extends DatabaseView {
  /** Empty when nothing is known to be wrong. The server was not asked; `POST /databases/{id}/test` does that. */
  warnings: WarningView[];
}

/** What everybody may see of a row. */
export function toDatabaseView(database: Database, schedule?: DefaultSchedule): DatabaseView {
  const { username, usernameVar, passwordSealed, passwordVar } = database;
  return {
    id: database.id,
    name: database.name,
    engine: database.engine,
    host: database.host,
    port: database.port,
    ...(database.databaseName !== '' && { database_name: database.databaseName }),
    ...(username !== null && { username }),
    ...(usernameVar !== null && { username_var: usernameVar }),
    ...(passwordSealed !== null && { password: 'set' as const }),
    ...(passwordVar !== null && { password_var: passwordVar }),
    ...(Object.keys(database.parameters).length > 0 && { parameters: { ...database.parameters } }),
    tls: toTlsView(database.tls),
    options: toOptionsView(database.options),
    ...toPlanView(database.retention, schedule),
    created_at: database.createdAt.toISOString(),
    updated_at: database.updatedAt.toISOString(),
  };
}

export function toSavedDatabaseView(
  database: Database,
  warnings: WarningView[],
  schedule?: DefaultSchedule,
): SavedDatabaseView {
  return Object.assign(toDatabaseView(database, schedule), { warnings });
}

function toTlsView({ mode, ca, cert, keySealed }: StoredTls): TlsView {
  return {
    mode,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(keySealed !== undefined && { key: 'set' as const }),
  };
}

function toOptionsView(options: DatabaseOptions): OptionsView {
  const view: OptionsView = {
    format: options.format,
    compression: options.compression,
    compression_level: options.compressionLevel,
    include_tables: options.includeTables,
    exclude_tables: options.excludeTables,
    schemas: options.schemas,
    include_roles: options.includeRoles,
    hash_content: options.hashContent,
    tool: options.tool,
    timeout_seconds: options.timeoutSeconds,
    stall_seconds: options.stallSeconds,
  };
  return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined));
}
