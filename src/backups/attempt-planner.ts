import { Injectable } from '@nestjs/common';

import type { Compression } from '../archive/manifest.js';
import { Catalog } from '../catalog/catalog.js';
import { Config } from '../config/config.js';
import { ConnectionOpener } from '../databases/connection-opener.js';
import { Database } from '../databases/database.entity.js';
import { dumpScopeOf } from '../databases/dump-scope.js';
import { DatabaseNotFoundError } from '../databases/databases.errors.js';
import type { Connection, DumpScope, Engine } from '../engines/engine.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { SERVICE_VERSION } from '../http/service-version.js';
import type { Storage } from '../storage/storage.js';
import { LOCAL_DESTINATION, StorageRegistry } from '../storage/storage-registry.js';
import type { Backup } from './backup.entity.js';

/**
 * The backup that is made before a database is replaced holds all of it: what the owner leaves out of every day's backups is lost with
 * the old database otherwise.
 */
const EVERYTHING = { schemas: [], includeTables: [], excludeTables: [] } as const;

/** Everything one attempt needs, decided before it begins. Holds an opened password: never log it. */
export interface AttemptPlan {
  backup: Backup;
  attempt: number;
  engine: Engine;
  connection: Connection;
  scope: DumpScope;
  compression: Compression;
  /** Undefined: the compressor's usual one. */
  compressionLevel: number | undefined;
  /** Longest time without a byte, in milliseconds. */
  stallMs: number;
  /** Longest time in all, in seconds; undefined: none. */
  timeoutSeconds: number | undefined;
  /** Where the two limits come from, as the operator knows them. */
  limitedBy: { stall: string; timeout: string };
  destination: string;
  storage: Storage;
  writtenBy: string;
}

/** Turns a backup's row, its database's options and the configuration into a plan. Opens the password, nothing else. */
@Injectable()
export class AttemptPlanner {
  constructor(
    private readonly catalog: Catalog,
    private readonly config: Config,
    private readonly connections: ConnectionOpener,
    private readonly engines: EngineRegistry,
    private readonly storages: StorageRegistry,
  ) {}

  /**
   * @throws DatabaseNotFoundError when the database was deleted while its backup waited
   */
  async plan(backup: Backup, attempt: number): Promise<AttemptPlan> {
    const database =
      backup.databaseId === null
        ? null
        : await this.catalog.read.findOneBy(Database, { id: backup.databaseId });
    if (database === null) throw new DatabaseNotFoundError(backup.databaseName);
    const engine = this.engines.get(database.engine);
    const { options } = database;
    const destination = backup.destination ?? LOCAL_DESTINATION;
    return {
      backup,
      attempt,
      engine,
      connection: this.connections.open(database),
      scope: { ...dumpScopeOf(options, engine.traits), ...(backup.trigger === 'pre_restore' && EVERYTHING) },
      compression: options.compression ?? 'zstd',
      compressionLevel: options.compressionLevel,
      stallMs: (options.stallSeconds ?? this.config.stallSeconds) * 1000,
      timeoutSeconds: options.timeoutSeconds ?? this.config.backupTimeoutSeconds ?? undefined,
      limitedBy: {
        stall: options.stallSeconds === undefined ? 'STALL_SECONDS' : 'options.stall_seconds',
        timeout: options.timeoutSeconds === undefined ? 'BACKUP_TIMEOUT_SECONDS' : 'options.timeout_seconds',
      },
      destination,
      storage: this.storages.open(destination),
      writtenBy: `backstop ${SERVICE_VERSION}`,
    };
  }
}
