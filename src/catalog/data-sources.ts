import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import sqlite3 from 'sqlite3';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';

import { CatalogCorruptError, CatalogTooNewError } from './catalog.errors.js';
import { type CatalogLocation, describeLocation } from './catalog-location.js';
import { translateOpenError } from './open-errors.js';
import { TypeOrmLog } from './typeorm-log.js';

/** Names of the two connections inside of Nest; neither is the default one, so that nobody is given one by accident. */
export const WRITER = 'catalog-writer';
export const READER = 'catalog-reader';

/** How long a statement waits for another process (a person's `sqlite3` shell) that holds the catalog. */
const BUSY_TIMEOUT_MS = 5_000;
/** Any constant will do; it keeps two services from migrating one PostgreSQL catalog at once. */
const MIGRATION_LOCK = 7_236_201;
const MIGRATIONS_TABLE = 'migrations';

/**
 * TypeORM puts the driver into its verbose mode, in which each call takes a stack trace beforehand, in case that it fails: 0.1 ms
 * of the 0.15 ms that a small query costs (measured).
 */
const quietSqlite = { ...sqlite3, verbose: () => sqlite3 };

export interface CatalogSchema {
  entities: readonly (new () => object)[];
  migrations: readonly (new () => MigrationInterface)[];
}

/** Between two statements of a transaction lie moments; a machine with no CPU to spare may make seconds of them. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/** What both connections share. */
export function dataSourceOptions(location: CatalogLocation, schema: CatalogSchema): DataSourceOptions {
  const shared = {
    entities: [...schema.entities],
    migrations: [...schema.migrations],
    migrationsTableName: MIGRATIONS_TABLE,
    synchronize: false,
    migrationsRun: false,
    logger: new TypeOrmLog(),
    // TypeORM's default reads `where: { id: undefined }` as "every row".
    invalidWhereValuesBehavior: { null: 'throw' as const, undefined: 'throw' as const },
  };
  return location.kind === 'sqlite'
    ? {
        ...shared,
        type: 'sqlite',
        database: location.path,
        driver: quietSqlite,
        enableWAL: true,
        busyTimeout: BUSY_TIMEOUT_MS,
      }
    : {
        ...shared,
        type: 'postgres',
        url: location.url,
        applicationName: 'backstop',
        connectTimeoutMS: 10_000,
        // A service that stands still in the middle of a transaction (its machine is suspended) would keep all others waiting for
        // what it holds, the right to claim among it (decision 34). Awake again, it meets an error and goes on.
        extra: { idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS },
      };
}

/**
 * Opens the connection that writes and brings the tables up to date: all pending migrations in one transaction, or none.
 * Throws `catalog-not-writable`, `catalog-corrupt`, `catalog-unreachable` or `catalog-too-new`.
 */
export async function openWriter(options: DataSourceOptions): Promise<DataSource> {
  const location = locationOf(options);
  let writer: DataSource | undefined;
  try {
    if (location.kind === 'sqlite') await mkdir(dirname(location.path), { recursive: true, mode: 0o700 });
    writer = await new DataSource(options).initialize();
    if (location.kind === 'sqlite') await prepareSqlite(writer, location.path);
    await migrate(writer, location);
    return writer;
  } catch (error) {
    if (writer?.isInitialized) await writer.destroy();
    throw translateOpenError(location, error);
  }
}

/** Opens the connection that reads. The writer must be open, since it makes the tables and the WAL. */
export async function openReader(options: DataSourceOptions): Promise<DataSource> {
  const location = locationOf(options);
  try {
    const reader = await new DataSource(readOnly(options)).initialize();
    // Not the flag OPEN_READONLY: such a connection cannot make the WAL's shared memory when it comes first.
    if (location.kind === 'sqlite') await reader.query('PRAGMA query_only = ON');
    return reader;
  } catch (error) {
    throw translateOpenError(location, error);
  }
}

function readOnly(options: DataSourceOptions): DataSourceOptions {
  if (options.type !== 'postgres') return options;
  return { ...options, extra: { options: '-c default_transaction_read_only=on' } };
}

/** Where the catalog of a connection lies. */
export function locationOf(options: DataSourceOptions): CatalogLocation {
  if (options.type === 'sqlite') return { kind: 'sqlite', path: options.database };
  if (options.type === 'postgres' && options.url) return { kind: 'postgres', url: options.url };
  throw new Error(`a catalog cannot be in ${options.type}`);
}

async function prepareSqlite(writer: DataSource, path: string): Promise<void> {
  // A committed state change must survive a power cut: files are deleted on the strength of it.
  await writer.query('PRAGMA synchronous = FULL');
  const [row] = await writer.query<{ quick_check: string }[]>('PRAGMA quick_check(1)');
  if (row?.quick_check !== 'ok')
    throw new CatalogCorruptError(path, row?.quick_check ?? 'quick_check gave nothing');
}

async function migrate(writer: DataSource, location: CatalogLocation): Promise<void> {
  const runner = writer.createQueryRunner();
  try {
    if (location.kind === 'postgres') await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    if (await runner.hasTable(MIGRATIONS_TABLE)) {
      const done = await runner.manager.query<{ name: string }[]>(
        `SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY name`,
      );
      // TypeORM gives a migration without a name of its own the name of its class.
      const known = new Set(
        writer.migrations.map((migration) => migration.name ?? migration.constructor.name),
      );
      const unknown = done.map((row) => row.name).filter((name) => !known.has(name));
      if (unknown.length > 0) throw new CatalogTooNewError(describeLocation(location), unknown);
    }
    await writer.runMigrations({ transaction: 'all' });
  } finally {
    if (location.kind === 'postgres') await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await runner.release();
  }
}
