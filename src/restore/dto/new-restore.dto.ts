import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

import { TlsFields, toTlsChanges } from '../../databases/dto/tls-fields.dto.js';
import type { RestoreRequest } from '../restore-planner.js';
import { RESTORE_MODES, type RestoreMode } from '../restore-states.js';
import type { InlineConnection } from '../restore-targets.js';

/** A server that is not registered. Its secrets are sealed while the restore needs them, and forgotten afterwards. */
export class TargetConnection {
  /**
   * Name or address of the server.
   * @example "staging.example.com"
   */
  @IsOptional()
  @IsString()
  host?: string;

  /**
   * The engine's usual port when left out.
   * @example 5432
   */
  @IsOptional()
  @IsNumber()
  port?: number;

  /**
   * User to connect as; it needs the right to create databases.
   * @example "admin"
   */
  @IsOptional()
  @IsString()
  username?: string;

  /** Sealed while the restore needs it, forgotten afterwards, and never shown. */
  @ApiPropertyOptional({ writeOnly: true })
  @IsOptional()
  @IsString()
  password?: string;

  /**
   * The database to connect to; in mode `replace` also the one that is replaced.
   * @example "shop"
   */
  @IsOptional()
  @IsString()
  database_name?: string;

  /**
   * Host, port, name, user, password and parameters in one.
   * @example "postgres://admin@staging.example.com:5432/shop?sslmode=require"
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
}

/** Where to restore to. Left out: the server that the backup comes from. */
export class RestoreTargetFields {
  /**
   * Id or name of a registered database: its server is used, and in mode `replace` the database itself.
   * @example "shop-staging"
   */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  database_id?: string;

  /** A server that is not registered, instead of `database_id`. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TargetConnection)
  connection?: TargetConnection;

  /**
   * Name on the server of the database to make. In mode `new` it must not exist; left out, it is `<name>_restored_<time>`.
   * @example "shop_yesterday"
   */
  @IsOptional()
  @IsString()
  database_name?: string;
}

/** How a backup is to be restored. */
export class RestoreChoices {
  /** Where to restore to. Left out: the server that the backup comes from. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RestoreTargetFields)
  target?: RestoreTargetFields;

  /**
   * `new` restores beside everything that exists. `replace` puts the backup in the place of a database, and needs `confirm`; when
   * that database does not exist any more, the restored one simply gets its name. A backup that leaves tables out replaces nothing.
   * @example "new"
   */
  @IsOptional()
  @IsIn(RESTORE_MODES)
  mode?: RestoreMode;

  /**
   * For `replace`: the name under which the database is registered; with another database of the server, its name there.
   * @example "shop"
   */
  @IsOptional()
  @IsString()
  confirm?: string;

  /**
   * Only these tables (`schema.table`, without quotes) or collections, with what they need. For mode `new`.
   * @example ["public.orders"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  tables?: string[];

  /**
   * Parallel workers, 1 to 16. More than one needs room for the whole plain dump in the service's work folder.
   * @example 1
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(16)
  jobs?: number;

  /**
   * For `replace`: back the database up before it is replaced. True unless told otherwise.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  safety_backup?: boolean;

  /**
   * For `replace`: keep the replaced database as `<name>_before_restore_<time>`. True unless told otherwise; without it, what was
   * written to the database after its safety backup is lost.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  keep_old?: boolean;

  /**
   * For `replace`: end the sessions of others in the database at the moment of the swap. False unless told otherwise; then the
   * restore is refused while there are any.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  end_connections?: boolean;
}

/** Which backup is to be restored, and how. */
export class NewRestore extends RestoreChoices {
  /**
   * Id of the backup; this or `filename`.
   * @example "019aa3f0-1111-7000-8000-000000000001"
   */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  backup_id?: string;

  /**
   * File name of the backup's archive; this or `backup_id`.
   * @example "backup_shop_20261121_030000.dump.zst"
   */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  filename?: string;
}

/** In the words of the code. */
export function toRestoreRequest(
  backup: string,
  choices: RestoreChoices,
  idempotencyKey: string | undefined,
): RestoreRequest {
  const { target } = choices;
  return {
    backup,
    target: {
      database: target?.database_id ?? undefined,
      connection: target?.connection ? toInlineConnection(target.connection) : undefined,
      databaseName: target?.database_name ?? undefined,
    },
    mode: choices.mode ?? 'new',
    confirm: choices.confirm ?? undefined,
    tables: choices.tables ?? undefined,
    jobs: choices.jobs ?? undefined,
    safetyBackup: choices.safety_backup ?? undefined,
    keepOld: choices.keep_old ?? undefined,
    endConnections: choices.end_connections ?? undefined,
    idempotencyKey,
  };
}

function toInlineConnection(connection: TargetConnection): InlineConnection {
  return {
    fields: {
      uri: connection.uri,
      host: connection.host ?? undefined,
      port: connection.port ?? undefined,
      databaseName: connection.database_name ?? undefined,
      username: connection.username,
      password: connection.password,
      parameters: connection.parameters,
    },
    tls: toTlsChanges(connection.tls),
  };
}
