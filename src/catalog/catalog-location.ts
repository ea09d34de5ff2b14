import { resolve } from 'node:path';

import { parse as parsePostgresUrl } from 'pg-connection-string';

/** Where the catalog lies. */
export type CatalogLocation = { kind: 'sqlite'; path: string } | { kind: 'postgres'; url: string };

/** A catalog in PostgreSQL when a URL is given, and else in a SQLite file. */
export function catalogLocation(settings: {
  databaseUrl: string | null;
  databasePath: string;
}): CatalogLocation {
  return settings.databaseUrl === null
    ? { kind: 'sqlite', path: resolve(settings.databasePath) }
    : { kind: 'postgres', url: settings.databaseUrl };
}

/** The place in words for people, without user or password. */
export function describeLocation(location: CatalogLocation): string {
  if (location.kind === 'sqlite') return location.path;
  const { host, port, database } = parsePostgresUrl(location.url);
  return `${host ?? 'localhost'}:${port ?? 5432}/${database ?? ''}`;
}
