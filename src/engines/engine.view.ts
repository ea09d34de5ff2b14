import { ApiProperty } from '@nestjs/swagger';

import type { Engine, ToolReport } from './engine.js';

/** A client tool that was found on the service's machine. */
export class FoundToolView {
  /**
   * Name of the program.
   * @example "pg_dump"
   */
  name: string;

  /**
   * As the program itself says it.
   * @example "18.1"
   */
  version: string;

  /**
   * First part of the version; a tool can dump servers up to this one.
   * @example 18
   */
  @ApiProperty({ type: 'integer' })
  major: number;

  /**
   * Where the program is on the service's machine; absent: it is a part of Backstop.
   * @example "/usr/lib/postgresql/18/bin/pg_dump"
   */
  path?: string;
}

/** A parameter that a connection may have. */
export class ConnectionParameterView {
  /**
   * Its name in `parameters` and in the query of a URI.
   * @example "replicaSet"
   */
  name: string;

  /**
   * What it is for.
   * @example "Name of the replica set; its members are found by themselves."
   */
  description: string;
}

/** A kind of databases that can be backed up. */
export class EngineView {
  /**
   * What to give as `engine` when a database is registered.
   * @example "postgres"
   */
  engine: string;

  /**
   * TCP port that is used when none is given.
   * @example 5432
   */
  @ApiProperty({ type: 'integer' })
  default_port: number;

  /**
   * How a `uri` looks.
   * @example "postgres://backup@db.example.com:5432/shop?sslmode=require"
   */
  uri_example: string;

  /** What `parameters` of a connection may hold. */
  connection_parameters: ConnectionParameterView[];

  /** Whether `database_name` may be left out, to back up every database of a server. */
  supports_whole_server: boolean;

  /**
   * Formats of dumps that can be chosen by the option `format`.
   * @example ["custom", "plain"]
   */
  formats: string[];

  /**
   * Format of a dump when the option `format` is not set.
   * @example "custom"
   */
  default_format: string;

  /**
   * What one item of a database is called.
   * @example "table"
   */
  item_word: string;

  /** Whether the option `include_roles` can be used. */
  supports_roles: boolean;

  /** Whether the option `hash_content` can be used. */
  supports_content_hash: boolean;

  /** Whether the option `include_tables` can be used. */
  supports_item_choice: boolean;

  /**
   * What can be given as the option `tool`; the first is what counts when nothing is given. Empty: there is no choice.
   * @example ["auto", "mongodump", "builtin"]
   */
  dump_tools: string[];

  /**
   * Formats from which single items can be restored.
   * @example ["custom"]
   */
  item_restore_formats: string[];

  /**
   * Formats that are restored by several workers at once.
   * @example ["custom"]
   */
  parallel_restore_formats: string[];

  /** What makes and loads dumps on this machine. The first is what a backup uses by default. Empty: a backup would fail. */
  tools: FoundToolView[];
}

export function toEngineView({ kind, traits }: Engine, tools: readonly ToolReport[]): EngineView {
  return {
    engine: kind,
    default_port: traits.defaultPort,
    uri_example: traits.uriExample,
    connection_parameters: traits.connectionParameters.map(({ name, description }) => ({
      name,
      description,
    })),
    supports_whole_server: traits.supportsWholeServer,
    formats: [...traits.formats],
    default_format: traits.defaultFormat,
    item_word: traits.itemWord,
    supports_roles: traits.supportsRoles,
    supports_content_hash: traits.supportsContentHash,
    supports_item_choice: traits.supportsItemChoice,
    dump_tools: [...traits.dumpTools],
    item_restore_formats: [...traits.supportsItemRestore],
    parallel_restore_formats: [...traits.supportsParallelRestore],
    tools: tools.map(({ name, version, major, path }) => ({
      name,
      version,
      major,
      ...(path !== undefined && { path }),
    })),
  };
}
