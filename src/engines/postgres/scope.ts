import type { DumpScope } from '../engine.js';
import { PermissionDeniedError } from '../engines.errors.js';
import type { PostgresSession } from './postgres-session.js';

/** A table that holds rows of its own. */
export interface TableRow {
  oid: number;
  schema: string;
  name: string;
  /** `schema.table`, unquoted, as the manifest names it. */
  fullName: string;
  bytes: number;
  isUnlogged: boolean;
}

/** What a scope means in one database at one moment: the same for the dump and for counting, so that both agree. */
export interface ResolvedScope {
  schemas: readonly string[];
  /** Given exclusions, and every partition of an excluded table: a partition without its parent cannot be restored. */
  excluded: readonly { oid: number; schema: string; name: string }[];
  tables: readonly TableRow[];
}

/** Schemas of the server itself, and of other people's temporary tables. */
export const USER_SCHEMA = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** An object of an extension is created by `CREATE EXTENSION` and is not dumped by itself. */
export function notOfExtension(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.${catalog}'::regclass
            AND x.objid = ${oid} AND x.objsubid = 0 AND x.deptype = 'e')`;
}

/** Reads which tables a dump of `scope` holds, in order of name. */
export async function resolveScope(session: PostgresSession, scope: DumpScope): Promise<ResolvedScope> {
  const schemas = scope.schemas ?? [];
  const excluded = await readExcluded(session, scope.excludeTables ?? []);
  const rows = await session.query<{
    oid: string;
    schema: string;
    name: string;
    bytes: string;
    unlogged: boolean;
  }>(
    `SELECT c.oid::text, n.nspname AS schema, c.relname AS name, pg_catalog.pg_total_relation_size(c.oid)::text AS bytes,
            c.relpersistence = 'u' AS unlogged
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
        AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1)) AND c.oid <> ALL ($2::oid[])`,
    [schemas, excluded.map(({ oid }) => oid)],
  );
  const tables = rows.map((row) => ({
    oid: Number(row.oid),
    schema: row.schema,
    name: row.name,
    fullName: `${row.schema}.${row.name}`,
    bytes: Number(row.bytes ?? 0),
    isUnlogged: row.unlogged,
  }));
  return { schemas, excluded, tables: tables.sort(byFullName) };
}

/**
 * Excluded names as tables. A name has no quotes, so `a.b.c` may be split in two ways; comparing the joined names finds both.
 */
async function readExcluded(
  session: PostgresSession,
  names: readonly string[],
): Promise<ResolvedScope['excluded']> {
  if (names.length === 0) return [];
  const rows = await session.query<{ oid: string; schema: string; name: string }>(
    `WITH RECURSIVE gone(oid) AS (
       SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname || '.' || c.relname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'f', 'm', 'v') AND ${USER_SCHEMA}
       UNION
       SELECT i.inhrelid FROM gone JOIN pg_catalog.pg_inherits i ON i.inhparent = gone.oid
         JOIN pg_catalog.pg_class part ON part.oid = i.inhrelid AND part.relispartition AND part.relkind IN ('r', 'p', 'f'))
     SELECT c.oid::text, n.nspname AS schema, c.relname AS name
       FROM gone JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`,
    [names],
  );
  return rows.map((row) => ({ oid: Number(row.oid), schema: row.schema, name: row.name })).sort(byName);
}

/**
 * What the user may not read of a scope: names of tables and sequences. Row-level security counts too, because a dump of the
 * rows that somebody may see is not a backup of the table.
 */
export async function unreadable(session: PostgresSession, scope: ResolvedScope): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND ${USER_SCHEMA}
        AND ${notOfExtension('pg_class', 'c.oid')}
        AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1)) AND c.oid <> ALL ($2::oid[])
        AND (NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
             OR CASE WHEN c.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                     ELSE NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.row_security_active(c.oid) END)
      ORDER BY 1`,
    [scope.schemas, scope.excluded.map(({ oid }) => oid)],
  );
  return rows.map(({ name }) => name);
}

/** Rejects with `permission-denied`, naming every table, when anything of the scope cannot be read whole. */
export async function mustBeReadable(
  session: PostgresSession,
  scope: ResolvedScope,
  username: string | undefined,
): Promise<void> {
  const names = await unreadable(session, scope);
  if (names.length === 0) return;
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  throw new PermissionDeniedError(
    username,
    `read ${shown}${more}: grant SELECT (and USAGE on the schema; BYPASSRLS where row security applies)`,
    names,
  );
}

/** Extensions that belong to the chosen schemas; without them `--schema` leaves their types out. */
export async function extensionsIn(session: PostgresSession, schemas: readonly string[]): Promise<string[]> {
  if (schemas.length === 0) return [];
  const rows = await session.query<{ name: string }>(
    `SELECT e.extname AS name FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
      WHERE n.nspname = ANY ($1::text[]) ORDER BY 1`,
    [schemas],
  );
  return rows.map(({ name }) => name);
}

function byFullName(a: TableRow, b: TableRow): number {
  return a.fullName < b.fullName ? -1 : a.fullName > b.fullName ? 1 : 0;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
