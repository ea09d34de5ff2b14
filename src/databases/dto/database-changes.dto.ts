import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsNumber, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';

import { NAME, PORT_SCHEMA } from '../connection-rules.js';
import type { DatabaseEdits } from '../database-edits.js';
import { Omittable } from './omittable.js';
import { OptionFields, toOptionChanges } from './option-fields.dto.js';
import { TlsFields, toTlsChanges } from './tls-fields.dto.js';

/**
 * Changes to a registered database: what is left out stays as it is, `null` takes a credential away. Its engine cannot change:
 * that would be another database. A new name counts for archives made from then on.
 */
export class DatabaseChanges {
  /** @example "shop" */
  @ApiPropertyOptional({ pattern: NAME.source })
  @Omittable()
  @IsString()
  name?: string;

  /** @example "db.example.com" */
  @Omittable()
  @IsString()
  host?: string;

  /** @example 5432 */
  @ApiPropertyOptional(PORT_SCHEMA)
  @Omittable()
  @IsNumber()
  port?: number;

  /** @example "shop" */
  @Omittable()
  @IsString()
  database_name?: string;

  /** Takes the place of `username_var`. */
  @IsOptional()
  @IsString()
  username?: string | null;

  /** Takes the place of `username`. */
  @IsOptional()
  @IsString()
  username_var?: string | null;

  /** Takes the place of `password_var`. */
  @ApiPropertyOptional({ writeOnly: true })
  @IsOptional()
  @IsString()
  password?: string | null;

  /** Takes the place of `password`. */
  @IsOptional()
  @IsString()
  password_var?: string | null;

  /** Changes what it says: host, port, name, user, password, `sslmode`. */
  @Omittable()
  @IsString()
  uri?: string;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TlsFields)
  tls?: TlsFields | null;

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
    },
    tls: toTlsChanges(dto.tls),
    options: toOptionChanges(dto.options),
  };
}
