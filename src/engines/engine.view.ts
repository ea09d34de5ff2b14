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
   * Where the program is on the service's machine.
   * @example "/usr/lib/postgresql/18/bin/pg_dump"
   */
  path: string;
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

  /** Client tools on this machine, newest first. Empty: a backup would fail. */
  tools: FoundToolView[];
}

export function toEngineView({ kind, traits }: Engine, tools: readonly ToolReport[]): EngineView {
  return {
    engine: kind,
    default_port: traits.defaultPort,
    formats: [...traits.formats],
    default_format: traits.defaultFormat,
    item_word: traits.itemWord,
    supports_roles: traits.supportsRoles,
    supports_content_hash: traits.supportsContentHash,
    item_restore_formats: [...traits.supportsItemRestore],
    parallel_restore_formats: [...traits.supportsParallelRestore],
    tools: tools.map(({ name, version, major, path }) => ({ name, version, major, path })),
  };
}
