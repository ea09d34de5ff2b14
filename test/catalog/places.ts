import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CatalogLocation } from '../../src/catalog/catalog-location.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { freshDatabase, postgresServers } from '../support/postgres-servers.ts';

/** An empty place for a catalog, gone at the end of the block. */
export interface FreshPlace extends AsyncDisposable {
  location: CatalogLocation;
}

/** A kind of catalog that every test of this room runs on. */
export interface CatalogKind {
  name: string;
  kind: CatalogLocation['kind'];
  fresh(): Promise<FreshPlace>;
}

export async function freshSqlite(): Promise<FreshPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-catalog-'));
  return {
    location: { kind: 'sqlite', path: join(folder, 'data', 'backup.db') },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function freshPostgres(server: PostgresServer): Promise<FreshPlace> {
  const database = await freshDatabase(server, 'catalog');
  const { username, password, host, port } = server;
  return {
    location: {
      kind: 'postgres',
      url: `postgres://${username}:${password}@${host}:${port}/${database.name}`,
    },
    [Symbol.asyncDispose]: () => database.drop(),
  };
}

/** SQLite, and the oldest and the newest PostgreSQL of this run. */
export function catalogKinds(): CatalogKind[] {
  const servers = postgresServers();
  const ends = servers.filter((_, index) => index === 0 || index === servers.length - 1);
  return [
    { name: 'SQLite', kind: 'sqlite', fresh: freshSqlite },
    ...ends.map((server) => ({
      name: `PostgreSQL ${server.major}`,
      kind: 'postgres' as const,
      fresh: () => freshPostgres(server),
    })),
  ];
}
