import type { Readable } from 'node:stream';

import type { ContentFacts } from '../content-facts.js';
import { Engine } from '../engine.js';
import type {
  Connection,
  Dump,
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
import { FormatUnsupportedError } from '../engines.errors.js';
import { restoreBuiltIn } from './builtin-restore.js';
import { MongoCall, type MongoSurroundings } from './mongo-call.js';
import { fromPrimary } from './mongo-client-options.js';
import { measure } from './mongo-content.js';
import { MongoDatabases } from './mongo-databases.js';
import { openDump } from './mongo-dump.js';
import { inspectArchive } from './mongo-inspect.js';
import { probeMongo } from './mongo-probe.js';
import { restoreByTool } from './mongo-restore.js';
import type { MongoTools } from './mongo-tools.js';
import { MONGO_TRAITS } from './mongo-traits.js';
import { beyondTools } from './tool-access.js';
import { parseMongoUri } from './mongo-uri.js';
import { whileServerWorks } from './server-life.js';

/**
 * MongoDB, and servers that speak its protocol, by the MongoDB Database Tools where they are installed and else by the driver. Both
 * write and read one format, mongodump's. See `Engine` for what each method promises; the work is in the files beside this one.
 */
export class MongoEngine extends Engine {
  override readonly kind = 'mongodb';
  override readonly traits = MONGO_TRAITS;
  override readonly databases: MongoDatabases;
  readonly #tools: MongoTools;
  readonly #surroundings: MongoSurroundings;

  constructor(tools: MongoTools, surroundings: MongoSurroundings) {
    super();
    this.#tools = tools;
    this.#surroundings = surroundings;
    this.databases = new MongoDatabases(surroundings);
  }

  override tools(): Promise<ToolReport[]> {
    return this.#tools.all();
  }

  override readUri(uri: string): UriParts {
    return parseMongoUri(uri);
  }

  override async probe(
    connection: Connection,
    call: EngineCall,
    scope: DumpScope = {},
  ): Promise<ProbeReport> {
    await using opened = this.#open(connection, call);
    return await probeMongo(opened, this.#tools, scope);
  }

  override async dump(connection: Connection, scope: DumpScope, call: EngineCall): Promise<Dump> {
    mustBeArchive(scope.format ?? this.traits.defaultFormat);
    return openDump(this.#open(connection, call), scope, this.#tools);
  }

  override inspect(bytes: Readable, format: DumpFormat, call: EngineCall): Promise<Inspection> {
    mustBeArchive(format);
    return inspectArchive(bytes, call);
  }

  override async restore(
    connection: Connection,
    bytes: Readable,
    choice: RestoreChoice,
    call: EngineCall,
  ): Promise<RestoreOutcome> {
    await using opened = this.#open(connection, call);
    bytes.on('error', () => undefined); // it may fail before anybody reads; reading tells
    try {
      mustBeArchive(choice.format);
      const tool = await this.#tools.choose('mongorestore', 'auto', beyondTools(connection));
      const restoring =
        tool === undefined
          ? restoreBuiltIn(opened, bytes, choice)
          : restoreByTool(opened, bytes, choice, tool);
      return await whileServerWorks(opened, restoring);
    } finally {
      bytes.destroy();
    }
  }

  /** A database that is not there has nothing in it: MongoDB knows no other empty one. */
  override async measure(connection: Connection, scope: DumpScope, call: EngineCall): Promise<ContentFacts> {
    // Never from a secondary: what was just restored may not have come there yet.
    await using opened = this.#open(fromPrimary(connection), call);
    return await whileServerWorks(opened, measure(opened, scope));
  }

  #open(connection: Connection, call: EngineCall): MongoCall {
    return new MongoCall(connection, call, this.#surroundings);
  }
}

function mustBeArchive(format: DumpFormat): void {
  if (format === 'archive') return;
  throw new FormatUnsupportedError('mongodb', `write or read the format "${format}"`, ['archive']);
}
