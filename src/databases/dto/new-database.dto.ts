import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsNumber, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';

import type { ConnectionFields } from '../connection-changes.js';
import { NAME, PORT_SCHEMA } from '../connection-rules.js';
import type { DatabaseRequest } from '../database-edits.js';
import { PlanFields, toDefaultScheduleEdits } from './plan-fields.dto.js';
import { toRetentionChanges } from './retention-fields.dto.js';
import { OptionFields, toOptionChanges } from './option-fields.dto.js';
import { TlsFields, toTlsChanges } from './tls-fields.dto.js';

/** A database to register. Where it is may be said by fields, by `uri`, or by both as long as nothing is said twice. */
export class NewDatabase extends PlanFields {
  /**
   * Unique; 1 to 63 letters, digits, dots, underscores or hyphens. Part of the names of its archives.
   * @example "shop"
   */
  @ApiProperty({ pattern: NAME.source })
  @IsString()
  name: string;

  /**
   * Its kind; `GET /engines` lists them.
   * @example "postgres"
   */
  @IsString()
  engine: string;

  /**
   * Name or address of its server.
   * @example "db.example.com"
   */
  @IsOptional()
  @IsString()
  host?: string;

  /**
   * The engine's usual port when left out.
   * @example 5432
   */
  @ApiPropertyOptional(PORT_SCHEMA)
  @IsOptional()
  @IsNumber()
  port?: number;

  /**
   * Its name on the server, of at most 63 bytes. Left out: every database of the server, with engines where
   * `supports_whole_server` of `GET /engines` says so.
   * @example "shop"
   */
  @IsOptional()
  @IsString()
  database_name?: string;

  /**
   * User to connect as.
   * @example "backup"
   */
  @IsOptional()
  @IsString()
  username?: string;

  /**
   * Name of an environment variable of the service that holds the user name, instead of `username`.
   * @example "SHOP_USER"
   */
  @IsOptional()
  @IsString()
  username_var?: string;

  /** Sealed before it is stored, and never shown again. */
  @ApiPropertyOptional({ writeOnly: true })
  @IsOptional()
  @IsString()
  password?: string;

  /**
   * Name of an environment variable of the service that holds the password, instead of `password`. Read at each use;
   * `NAME_FILE` works too.
   * @example "SHOP_PASSWORD"
   */
  @IsOptional()
  @IsString()
  password_var?: string;

  /**
   * Host, port, name, user, password and parameters in one. It is taken apart at once and not kept.
   * @example "postgres://backup@db.example.com:5432/shop?sslmode=require"
   */
  @IsOptional()
  @IsString()
  uri?: string;

  /**
   * What else is needed to connect, by the names in `connection_parameters` of `GET /engines`; all of them are parameters of the URI too.
   * @example { "authSource": "admin", "replicaSet": "rs0" }
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @IsOptional()
  @IsObject()
  parameters?: Record<string, string>;

  /** How the connection is protected; `prefer` without certificates when left out. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TlsFields)
  tls?: TlsFields;

  /** How it is backed up; what is left out has its default. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => OptionFields)
  options?: OptionFields;
}

/** In the words of the code. A field that is `null` counts as left out, as nothing is there yet to be taken away. */
export function toDatabaseRequest(dto: NewDatabase): DatabaseRequest {
  const connection: ConnectionFields = {
    uri: dto.uri,
    host: dto.host ?? undefined,
    port: dto.port ?? undefined,
    databaseName: dto.database_name ?? undefined,
    username: dto.username,
    usernameVar: dto.username_var,
    password: dto.password,
    passwordVar: dto.password_var,
    parameters: dto.parameters,
  };
  return {
    name: dto.name,
    engine: dto.engine,
    connection,
    tls: toTlsChanges(dto.tls),
    options: toOptionChanges(dto.options),
    retention: toRetentionChanges(dto),
    schedule: toDefaultScheduleEdits(dto),
  };
}
