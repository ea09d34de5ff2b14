import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsNumber, IsOptional, IsString } from 'class-validator';

import { COMPRESSIONS, type Compression } from '../../archive/manifest.js';
import { DUMP_FORMATS, type DumpFormat } from '../../engines/engine.js';
import type { OptionChanges } from '../database-options.js';

/** How the database is backed up. In a change, `null` goes back to the default, and what is left out stays. */
export class OptionFields {
  /**
   * For PostgreSQL `custom` (the default: restores in parallel and by table) or `plain` (SQL text); for MongoDB `archive`.
   * @example "custom"
   */
  @IsOptional()
  @IsIn(DUMP_FORMATS)
  format?: DumpFormat | null;

  /**
   * How the dump is compressed; `zstd` by default.
   * @example "zstd"
   */
  @IsOptional()
  @IsIn(COMPRESSIONS)
  compression?: Compression | null;

  /**
   * 1 to 22 for `zstd` (3 by default), 1 to 9 for `gzip` (6 by default).
   * @example 3
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @IsOptional()
  @IsNumber()
  compression_level?: number | null;

  /**
   * Only these collections; all when empty. Where the whole server is backed up, each as `database.collection`. Not for PostgreSQL.
   * @example ["orders", "customers"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  include_tables?: string[] | null;

  /**
   * Tables that are left out with their data, each as `schema.table`, without quotes; or collections.
   * @example ["public.sessions"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  exclude_tables?: string[] | null;

  /**
   * Only these schemas; all when empty.
   * @example ["public"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  schemas?: string[] | null;

  /** Also keep the server's roles (without their passwords) beside the dump. */
  @IsOptional()
  @IsBoolean()
  include_roles?: boolean | null;

  /** Also hash each table's rows, so that a restored copy can be compared to the last value. Costs about 1 s for 1.5 million rows. */
  @IsOptional()
  @IsBoolean()
  hash_content?: boolean | null;

  /**
   * What makes the dump, where `GET /engines` shows a choice: for MongoDB `auto` (the default: `mongodump` where it is installed),
   * `mongodump` or `builtin`.
   * @example "auto"
   */
  @IsOptional()
  @IsString()
  tool?: string | null;

  /**
   * The longest that one attempt may take; the service's own setting when left out.
   * @example 7200
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @IsOptional()
  @IsNumber()
  timeout_seconds?: number | null;

  /**
   * An attempt in which no byte moves for so long is aborted; the service's own setting when left out.
   * @example 600
   */
  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @IsOptional()
  @IsNumber()
  stall_seconds?: number | null;
}

/** In the words of the code. */
export function toOptionChanges(fields: OptionFields | null | undefined): OptionChanges {
  if (!fields) return {};
  return {
    format: fields.format,
    compression: fields.compression,
    compressionLevel: fields.compression_level,
    includeTables: fields.include_tables,
    excludeTables: fields.exclude_tables,
    schemas: fields.schemas,
    includeRoles: fields.include_roles,
    hashContent: fields.hash_content,
    tool: fields.tool,
    timeoutSeconds: fields.timeout_seconds,
    stallSeconds: fields.stall_seconds,
  };
}
