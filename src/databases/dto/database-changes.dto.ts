import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsNumber, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';

import { NAME, PORT_SCHEMA } from '../connection-rules.js';
import type { DatabaseEdits } from '../database-edits.js';
import { Omittable } from './omittable.js';
import { PlanFields, toDefaultScheduleEdits } from './plan-fields.dto.js';
import { toRetentionChanges } from './retention-fields.dto.js';
import { OptionFields, toOptionChanges } from './option-fields.dto.js';
import { TlsFields, toTlsChanges } from './tls-fields.dto.js';

/**
 * Changes to a registered database: what is left out stays as it is, `null` takes a credential away. Its engine cannot change:
 * that would be another database. A new name counts for archives made from then on.
 */
export class DatabaseChanges extends PlanFields {
  /**
   * New unique name: 1 to 63 letters, digits, dots, underscores or hyphens. Older archives keep theirs.
   * @example "shop"
   */
  @ApiPropertyOptional({ pattern: NAME.source })
  @Omittable()
  @IsString()
  name?: string;

  /**
   * Name or address of its server.
   * @example "db.example.com"
   */
  @Omittable()
  @IsString()
  host?: string;

  /**
   * TCP port of its server.
   * @example 5432
   */
  @ApiPropertyOptional(PORT_SCHEMA)
  @Omittable()
  @IsNumber()
  port?: number;

  /**
   * Its name on the server, of at most 63 bytes. `null`: every database of the server, where the engine can.
   * @example "shop"
   */
  @IsOptional()
  @IsString()
  database_name?: string | null;

  /**
   * Takes the place of `username_var`.
   * @example "backup"
   */
  @IsOptional()
  @IsString()
  username?: string | null;

  /**
   * Takes the place of `username`.
   * @example "SHOP_USER"
   */
  @IsOptional()
  @IsString()
  username_var?: string | null;

  /** Takes the place of `password_var`. */
  @ApiPropertyOptional({ writeOnly: true })
  @IsOptional()
  @IsString()
  password?: string | null;

  /**
   * Takes the place of `password`.
   * @example "SHOP_PASSWORD"
   */
  @IsOptional()
  @IsString()
  password_var?: string | null;

  /**
   * Changes what it says: host, port, name, user, password, parameters.
   * @example "postgres://backup@db.example.com:5432/shop?sslmode=require"
   */
  @Omittable()
  @IsString()
  uri?: string;

  /**
   * What else is needed to connect, by the names in `connection_parameters` of `GET /engines`; all of them are parameters of the URI too. `null`
   * takes one, or all of them, away; what is left out stays.
   * @example { "authSource": "admin", "replicaSet": "rs0" }
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string', nullable: true } })
  @IsOptional()
  @IsObject()
  parameters?: Record<string, string | null> | null;

  /** Changes to how the connection is protected; `null` goes back to the default. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TlsFields)
  tls?: TlsFields | null;

  /** Changes to how it is backed up. */
  @Omittable()
  @IsObject()
  @ValidateNested()
  @Type(() => OptionFields)
  options?: OptionFields;
}

/** In the words of the code. */
export function toDatabaseUpdate(dto: DatabaseChanges): DatabaseEdits {
  return {
    name: dto.name,
    connection: {
      uri: dto.uri,
      host: dto.host,
      port: dto.port,
      databaseName: dto.database_name,
      username: dto.username,
      usernameVar: dto.username_var,
      password: dto.password,
      passwordVar: dto.password_var,
      parameters: dto.parameters,
    },
    tls: toTlsChanges(dto.tls),
    options: toOptionChanges(dto.options),
    retention: toRetentionChanges(dto),
    schedule: toDefaultScheduleEdits(dto),
  };
}
