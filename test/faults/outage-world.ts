import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MARK_KEY } from '../../src/storage/marked-storage.ts';
import { newestPostgresServer, sql } from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { processesOf, type Service } from '../support/service.ts';
import { type BackupBody } from '../support/shop.ts';
import { until } from '../support/until.ts';

export const BULK_ROWS = 4_000;

/** Some 8 MB that do not compress: enough to be in the middle of. */
export const BULK = `
  CREATE TABLE bulk (id serial PRIMARY KEY, noise text NOT NULL);
  INSERT INTO bulk (noise)
    SELECT string_agg(md5(random()::text), '') FROM generate_series(1, ${BULK_ROWS}) i, generate_series(1, 64) GROUP BY i;
  CREATE TABLE small (id int PRIMARY KEY);
  INSERT INTO small SELECT generate_series(1, 10);`;

/** Names of all files in a backup folder but its mark, hidden parts included. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== MARK_KEY)
    .map(({ name }) => name)
    .toSorted();
}

/** The files of these backups, as they lie in a folder. */
export function filesOf(...backups: BackupBody[]): string[] {
  return backups.flatMap(({ filename }) => [filename, `${filename}.manifest.json`]).toSorted();
}

/** Processes that a service has started and that still live. */
export async function childrenOf(service: Service): Promise<string[]> {
  return (await processesOf(service.dataDir)).filter((line) => !line.startsWith(`${service.pid} `));
}

/** Waits until no session of a service is left in a database. */
export async function untilNoSession(server: PostgresServer, database: string): Promise<void> {
  await until('the sessions to end', async () => {
    const [row] = await sql<{ n: number }>(
      server,
      'postgres',
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1 AND application_name ~ '^backstop [0-9a-f]+'`,
      [database],
    );
    return row?.n === 0;
  });
}

/** A folder with a `pg_dump` that answers `--version` as the real one does, and else runs a shell script. Removed by the caller. */
export async function folderWithPgDump(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-tools-'));
  const real = join(newestPostgresServer().clientBinDirs.at(-1)!, 'pg_dump');
  const file = join(folder, 'pg_dump');
  await writeFile(file, `#!/bin/sh\ncase "$*" in *--version*) exec ${real} "$@";; esac\n${script}\n`);
  await chmod(file, 0o755);
  return folder;
}

/** A temporary folder that goes with the block. */
export async function ownFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'backstop-outage-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Asks for a backup and gives its record, without waiting. */
export async function askBackup(
  service: Service,
  database: string,
  headers?: Record<string, string>,
): Promise<BackupBody> {
  const answer = await service.request<BackupBody>('POST', '/backups', { database_id: database }, headers);
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.text}`);
  return answer.body;
}

/** Polls a backup until it has ended one attempt badly, and gives it with the error. */
export async function troubled(service: Service, id: string, withinMs = 90_000): Promise<BackupBody> {
  return until(
    `backup ${id} to meet an error`,
    async () => {
      const { body } = await service.request<BackupBody>('GET', `/backups/${id}`);
      return body.error !== null && body;
    },
    withinMs,
  );
}
