import { ApiProperty } from '@nestjs/swagger';

import type { ToolFacts } from '../../engines/engine.js';
import type { ProbeResult } from '../database-probe.js';
import { WarningView } from './database.view.js';

/** A client tool. */
export class ToolView {
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
}

/** What a backup made now would meet. A connection that fails is a problem instead. */
export class ProbeView {
  /** Always true: a connection that fails is answered with its problem. */
  ok: true;

  /**
   * As the server itself says it.
   * @example "18.1"
   */
  server_version: string;

  /**
   * Size on the server's disk, indexes included.
   * @example 104857600
   */
  @ApiProperty({ type: 'integer' })
  size_bytes: number;

  /**
   * Tables, or collections.
   * @example 12
   */
  @ApiProperty({ type: 'integer' })
  table_count: number;

  /** The tool that a dump would use now. */
  tool: ToolView;

  /**
   * How long it took to connect and to ask.
   * @example 0.042
   */
  latency_seconds: number;

  /** What a backup would leave out, or fail by. */
  warnings: WarningView[];
}

export function toProbeView({ report, latencySeconds }: ProbeResult): ProbeView {
  return {
    ok: true,
    server_version: report.server.version,
    size_bytes: report.sizeBytes,
    table_count: report.itemCount,
    tool: toToolView(report.tool),
    latency_seconds: latencySeconds,
    warnings: report.warnings.map(({ code, detail }) => ({ code, detail })),
  };
}

function toToolView({ name, version }: ToolFacts): ToolView {
  return { name, version };
}
