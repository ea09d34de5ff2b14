import { ApiProperty } from '@nestjs/swagger';

import type { Engine, ToolReport } from './engine.js';

/** A client tool that was found on the service's machine. */
export class FoundToolView {
  /** @example "pg_dump" */
  name: string;

  /** @example "18.1" */
  version: string;

  /** @example 18 */
  @ApiProperty({ type: 'integer' })
  major: number;

  /** @example "/usr/lib/postgresql/18/bin/pg_dump" */
  path: string;
}

/** A kind of databases that can be backed up. */
export class EngineView {
  /** @example "postgres" */
  engine: string;

  /** @example 5432 */
  @ApiProperty({ type: 'integer' })
  default_port: number;

  /** @example ["custom", "plain"] */
  formats: string[];

  /** @example "custom" */
  default_format: string;

  /**
   * What one item of a database is called.
   * @example "table"
   */
  item_word: string;

  supports_roles: boolean;

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
