import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { freshDatabase, type FreshDatabase, sql } from './postgres-servers.ts';
import type { PostgresServer } from './postgres-server.ts';
import type { Answer, Service } from './service.ts';
import type { BackupBody } from './shop.ts';
import { until } from './until.ts';

/** What tests look at in a restore's view. */
export interface RestoreBody {
  id: string;
  backup_id: string;
  status: string;
  mode: string;
  attempt: number;
  target: { database_id: string | null; host: string; port: number; database_name: string };
  unfinished_database: string | null;
  kept_as: string | null;
  safety_backup_id: string | null;
  tables: string[] | null;
  progress?: { phase: string; bytes: number; bytes_total: number | null };
  result: {
    verified: boolean;
    compared: { items: number; rows: number; hashes: number; schema: boolean; expired: number };
    restore_seconds: number;
    notes: string[];
  } | null;
  error: { code: string; detail: string; retryable: boolean; facts?: Record<string, unknown> } | null;
}

/** Asks for a restore of a backup. */
export async function askRestore(
  service: Service,
  backupId: string,
  body: object = {},
  headers?: Record<string, string>,
): Promise<Answer<RestoreBody & { code?: string; facts?: Record<string, unknown> }>> {
  return service.request('POST', `/backups/${backupId}/restore`, body, headers);
}

/** Polls a restore until it is in one of these states. */
export async function restoreIn(service: Service, id: string, ...states: string[]): Promise<RestoreBody> {
  return until(
    `restore ${id} to be ${states.join(' or ')}`,
    async () => {
      const { body } = await service.request<RestoreBody>('GET', `/restores/${id}`);
      return states.includes(body.status) && body;
    },
    120_000,
  );
}

/** Restores a backup and gives the record when it has ended, well or badly. */
export async function endedRestore(
  service: Service,
  backupId: string,
  body: object = {},
): Promise<RestoreBody> {
  const asked = await askRestore(service, backupId, body);
  if (asked.status !== 202) throw new Error(`not accepted: ${asked.text}`);
  return restoreIn(service, asked.body.id, 'completed', 'failed', 'cancelled');
}

/** The same for a restore that must succeed. */
export async function completedRestore(
  service: Service,
  backupId: string,
  body: object = {},
): Promise<RestoreBody> {
  const ended = await endedRestore(service, backupId, body);
  if (ended.status !== 'completed') throw new Error(`not completed: ${JSON.stringify(ended)}`);
  return ended;
}

/** Names of the databases on a server that begin as `prefix` does, in order: everything that restores made of it. */
export async function databasesLike(server: PostgresServer, prefix: string): Promise<string[]> {
  const rows = await sql<{ datname: string }>(
    server,
    'postgres',
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname',
    [prefix],
  );
  return rows.map((row) => row.datname);
}

/** Drops everything that restores made of a database, and itself. */
export async function dropDatabasesLike(server: PostgresServer, prefix: string): Promise<void> {
  for (const name of await databasesLike(server, prefix)) {
    await sql(server, 'postgres', `DROP DATABASE IF EXISTS "${name.replaceAll('"', '""')}" WITH (FORCE)`);
  }
}

/** How many rows a table has. `table` is SQL. */
export async function countRows(server: PostgresServer, database: string, table: string): Promise<number> {
  const [row] = await sql<{ n: string }>(server, database, `SELECT count(*) AS n FROM ${table}`);
  return Number(row?.n);
}

/** Where a backup's archive lies. */
export function archivePath(service: Service, databaseName: string, backup: BackupBody): string {
  return join(service.dataDir, 'data', 'backups', databaseName, backup.filename);
}

/** Files that a service has in its folder for temporary ones; its lock on that folder lies beside it and stays. */
export async function workFiles(dataDir: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'data', 'work'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.lock(-journal)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** A database whose restore stands still in the middle for as long as a test likes. */
export interface HeldDatabase extends FreshDatabase {
  /** From now on restores of it stand still. */
  hold(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Makes a database with a table whose rows can be loaded only while a certain role does not exist. A role is seen from
 * every database of a server, so a test can hold and release a restore into a database whose name it does not know.
 */
export async function heldDatabase(server: PostgresServer, prefix: string): Promise<HeldDatabase> {
  const database = await freshDatabase(server, prefix);
  const role = `hold_${randomBytes(6).toString('hex')}`;
  await sql(
    server,
    database.name,
    `CREATE FUNCTION public.passes() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
       BEGIN
         WHILE EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '${role}') LOOP
           PERFORM pg_catalog.pg_sleep(0.02);
         END LOOP;
         RETURN true;
       END $$;
     CREATE TABLE public.before (id int PRIMARY KEY, name text);
     CREATE TABLE public.held (id int PRIMARY KEY, CHECK (public.passes()));
     INSERT INTO public.before SELECT i, 'row ' || i FROM generate_series(1, 100) i;
     INSERT INTO public.held VALUES (1), (2);`,
  );
  const release = async (): Promise<void> => {
    await sql(server, 'postgres', `DROP ROLE IF EXISTS ${role}`);
  };
  const drop = async (): Promise<void> => {
    await release();
    await dropDatabasesLike(server, database.name);
  };
  return {
    name: database.name,
    hold: async () => {
      await sql(server, 'postgres', `CREATE ROLE ${role}`);
    },
    release,
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/** Waits until a restore of a held database stands still, and gives the name of the unfinished database. */
export async function standsStill(
  service: Service,
  server: PostgresServer,
  restoreId: string,
): Promise<string> {
  return until(
    'the restore to stand still',
    async () => {
      const { body } = await service.request<RestoreBody>('GET', `/restores/${restoreId}`);
      const name = body.unfinished_database;
      if (name === null || body.progress?.phase !== 'restoring') return false;
      const [row] = await sql<{ n: number }>(
        server,
        'postgres',
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1 AND state = 'active' AND query ILIKE '%held%'`,
        [name],
      );
      return row?.n === 1 && name;
    },
    120_000,
  );
}
