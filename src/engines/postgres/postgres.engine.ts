import type { Readable } from 'node:stream';

import { Engine } from '../engine.js';
import type {
  Connection,
  Dump,
  DumpCompanion,
  DumpFormat,
  DumpScope,
  EngineCall,
  Inspection,
  ProbeReport,
  RestoreChoice,
  RestoreOutcome,
  ToolReport,
  UriParts,
} from '../engine.js';
import type { ContentFacts } from '../content-facts.js';
import { FormatUnsupportedError } from '../engines.errors.js';
import { measureContent } from './content-counting.js';
import { inspectCustom } from './postgres-inspect.js';
import { PostgresCall, type PostgresSurroundings } from './postgres-call.js';
import { PostgresDatabases } from './postgres-databases.js';
import { openDump, openRoles } from './postgres-dump.js';
import { probePostgres } from './postgres-probe.js';
import { restoreCustom } from './postgres-restore.js';
import type { PostgresTools } from './postgres-tools.js';
import { POSTGRES_TRAITS } from './postgres-traits.js';
import { parsePostgresUri } from './postgres-uri.js';
import { restorePlain } from './plain-restore.js';
import { inspectPlain } from './plain-script.js';
import { whileServerWorks } from './server-life.js';

type PostgresFormat = 'custom' | 'plain';

/**
 * PostgreSQL 14 and newer by its own client tools. See `Engine` for what each method promises; the work is in the files
 * beside this one.
 */
export class PostgresEngine extends Engine {
  override readonly kind = 'postgres';
  override readonly traits = POSTGRES_TRAITS;
  override readonly databases: PostgresDatabases;
  readonly #tools: PostgresTools;
  readonly #surroundings: PostgresSurroundings;

  constructor(tools: PostgresTools, surroundings: PostgresSurroundings) {
    super();
    this.#tools = tools;
    this.#surroundings = surroundings;
    this.databases = new PostgresDatabases(surroundings);
  }

  override tools(): Promise<ToolReport[]> {
    return this.#tools.all();
  }

  override readUri(uri: string): UriParts {
    return parsePostgresUri(uri);
  }

  override async probe(
    connection: Connection,
    call: EngineCall,
    scope: DumpScope = {},
  ): Promise<ProbeReport> {
    await using opened = this.#open(connection, call);
    const report = await probePostgres(opened, scope, this.#tools);
    opened.finish();
    return report;
  }

  override async dump(connection: Connection, scope: DumpScope, call: EngineCall): Promise<Dump> {
    const format = formatOf(scope.format ?? this.traits.defaultFormat);
    const companions: DumpCompanion[] = [];
    if (scope.includeRoles === true) companions.push(this.#rolesOf(connection));
    return openDump(
      this.#open(connection, call),
      { format, scope, onProgress: call.onProgress },
      async (major) => {
        const because = `a server of version ${major}`;
        // What the companion needs is asked for now, not after hours of dumping.
        if (companions.length > 0) await this.#tools.atLeast('pg_dumpall', major, because);
        return this.#tools.atLeast('pg_dump', major, because);
      },
      companions,
    );
  }

  override inspect(bytes: Readable, format: DumpFormat, call: EngineCall): Promise<Inspection> {
    const { clock } = this.#surroundings;
    if (formatOf(format) === 'plain') return inspectPlain(bytes, call);
    return inspectCustom(bytes, this.#tools, call, clock);
  }

  override async restore(
    connection: Connection,
    bytes: Readable,
    choice: RestoreChoice,
    call: EngineCall,
  ): Promise<RestoreOutcome> {
    await using opened = this.#open(connection, call);
    try {
      const outcome = await whileServerWorks(opened, this.#restore(opened, bytes, choice, call));
      opened.finish();
      return outcome;
    } finally {
      bytes.destroy();
    }
  }

  override async measure(connection: Connection, scope: DumpScope, call: EngineCall): Promise<ContentFacts> {
    await using opened = this.#open(connection, call);
    const content = await whileServerWorks(opened, measureContent(opened, scope));
    opened.finish();
    return content;
  }

  #restore(
    opened: PostgresCall,
    bytes: Readable,
    choice: RestoreChoice,
    call: EngineCall,
  ): Promise<RestoreOutcome> {
    if (formatOf(choice.format) === 'custom') {
      return restoreCustom(opened, bytes, choice, this.#tools, call.onProgress);
    }
    if (choice.items !== undefined) {
      throw new FormatUnsupportedError(this.kind, 'restore single tables of a plain dump', ['custom']);
    }
    return restorePlain(opened, bytes, this.#tools);
  }

  #rolesOf(connection: Connection): DumpCompanion {
    return {
      role: 'roles',
      extension: 'roles.sql',
      open: (call) =>
        openRoles(this.#open(connection, call), (major) =>
          this.#tools.atLeast('pg_dumpall', major, `a server of version ${major}`),
        ),
    };
  }

  #open(connection: Connection, call: EngineCall): PostgresCall {
    return new PostgresCall(connection, call, this.#surroundings);
  }
}

function formatOf(format: DumpFormat): PostgresFormat {
  if (format === 'archive')
    throw new FormatUnsupportedError('postgres', `write the format "${format}"`, ['custom', 'plain']);
  return format;
}
