import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import type { DatabaseOptions } from '../database-options.js';
import type { Database, StoredTls } from '../database.entity.js';

/** How the connection is protected. Texts that are not secret are shown as they were given. */
export class TlsView {
  /** @example "verify-full" */
  mode: string;

  ca?: string;

  cert?: string;

  /** `set` when there is a private key. It is never shown. */
  key?: 'set';
}

/** The options that were set; of the others the defaults count. */
export class OptionsView {
  /** @example "custom" */
  format?: string;

  /** @example "zstd" */
  compression?: string;

  /** @example 3 */
  @ApiPropertyOptional({ type: 'integer' })
  compression_level?: number;

  /** @example ["public.sessions"] */
  exclude_tables?: string[];

  schemas?: string[];

  include_roles?: boolean;

  hash_content?: boolean;

  @ApiPropertyOptional({ type: 'integer' })
  timeout_seconds?: number;

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

  detail: string;
}

/** A registered database. */
export class DatabaseView {
  /** @example "019aa5c5-3f7e-7000-8000-2b1f6c0e4d11" */
  id: string;

  /** @example "shop" */
  name: string;

  /** @example "postgres" */
  engine: string;

  /** @example "db.example.com" */
  host: string;

  /** @example 5432 */
  @ApiProperty({ type: 'integer' })
  port: number;

  /** @example "shop" */
  database_name: string;

  /** @example "backup" */
  username?: string;

  username_var?: string;

  /** `set` when a password is stored. It is never shown. */
  password?: 'set';

  /** @example "SHOP_PASSWORD" */
  password_var?: string;

  tls: TlsView;

  options: OptionsView;

  /** @example "2026-11-21T03:00:00.000Z" */
  created_at: string;

  /** @example "2026-11-21T03:00:00.000Z" */
  updated_at: string;
}

/** A database as it was just registered or changed, with what would fail now. */
export class SavedDatabaseView extends DatabaseView {
  /** Empty when nothing is known to be wrong. The server was not asked; `POST /databases/{id}/test` does that. */
  warnings: WarningView[];
}

/** What everybody may see of a row. */
export function toDatabaseView(database: Database): DatabaseView {
  const { username, usernameVar, passwordSealed, passwordVar } = database;
  return {
    id: database.id,
    name: database.name,
    engine: database.engine,
    host: database.host,
    port: database.port,
    database_name: database.databaseName,
    ...(username !== null && { username }),
    ...(usernameVar !== null && { username_var: usernameVar }),
    ...(passwordSealed !== null && { password: 'set' as const }),
    ...(passwordVar !== null && { password_var: passwordVar }),
    tls: toTlsView(database.tls),
    options: toOptionsView(database.options),
    created_at: database.createdAt.toISOString(),
    updated_at: database.updatedAt.toISOString(),
  };
}

export function toSavedDatabaseView(database: Database, warnings: WarningView[]): SavedDatabaseView {
  return Object.assign(toDatabaseView(database), { warnings });
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
    exclude_tables: options.excludeTables,
    schemas: options.schemas,
    include_roles: options.includeRoles,
    hash_content: options.hashContent,
    timeout_seconds: options.timeoutSeconds,
    stall_seconds: options.stallSeconds,
  };
  return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined));
}
