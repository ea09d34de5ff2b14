import type { DumpFormat } from '../engine.js';
import { DumpNotRestorableError } from './postgres.errors.js';
import type { PostgresSession } from './postgres-session.js';
import { type ResolvedScope, USER_SCHEMA } from './scope.js';

/** Catalogs whose objects live in a schema and may be needed by objects of another, and their column with the schema. */
const IN_SCHEMAS = [
  ['pg_class', 'relnamespace'],
  ['pg_type', 'typnamespace'],
  ['pg_proc', 'pronamespace'],
  ['pg_operator', 'oprnamespace'],
  ['pg_opclass', 'opcnamespace'],
  ['pg_collation', 'collnamespace'],
  ['pg_ts_config', 'cfgnamespace'],
  ['pg_ts_dict', 'dictnamespace'],
] as const;

/** What a dump of `$1` leaves out because it lies in another schema; `pg_dump` takes an extension with the schema it is in. */
const OUTSIDE = IN_SCHEMAS.map(
  ([catalog, schema]) =>
    `SELECT 'pg_catalog.${catalog}'::regclass::oid, o.oid FROM pg_catalog.${catalog} o JOIN pg_catalog.pg_namespace n ON n.oid = o.${schema}
      WHERE cardinality($1::text[]) > 0 AND n.nspname <> ALL ($1) AND ${USER_SCHEMA}
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x JOIN pg_catalog.pg_extension e ON e.oid = x.refobjid
              JOIN pg_catalog.pg_namespace en ON en.oid = e.extnamespace
             WHERE x.classid = 'pg_catalog.${catalog}'::regclass AND x.objid = o.oid AND x.deptype = 'e' AND en.nspname = ANY ($1))`,
).join(' UNION ALL ');

/**
 * Names of what a dump of `scope` holds although it needs something that the dump leaves out: a view of an excluded table, a
 * function whose body reads one, a column whose type lies in another schema. `pg_dump` writes such things, and no database
 * takes them back. What goes with an excluded table (its indexes, rules, row type) is left out with it. A foreign key is left out
 * by the restore of a custom archive; a plain dump runs as it is.
 */
export async function readDependents(
  session: PostgresSession,
  scope: ResolvedScope,
  format: DumpFormat = 'custom',
): Promise<string[]> {
  if (scope.excluded.length === 0 && scope.schemas.length === 0) return [];
  const rows = await session.query<{ name: string }>(
    `WITH RECURSIVE gone(classid, objid) AS (
       SELECT 'pg_catalog.pg_class'::regclass::oid, oid FROM unnest($2::oid[]) AS oid
       UNION ALL ${OUTSIDE}
     ), away(classid, objid) AS (
       SELECT classid, objid FROM gone
       UNION
       SELECT d.classid, d.objid FROM away JOIN pg_catalog.pg_depend d ON d.refclassid = away.classid AND d.refobjid = away.objid
         LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
        WHERE d.deptype = 'i' OR (d.deptype IN ('a', 'P', 'S') AND c.relkind IS DISTINCT FROM 'S')
     ), needing AS (
       SELECT DISTINCT d.classid, d.objid FROM away
         JOIN pg_catalog.pg_depend d ON d.refclassid = away.classid AND d.refobjid = away.objid AND d.deptype = 'n'
        WHERE (d.classid, d.objid) NOT IN (SELECT classid, objid FROM away)
     ), owning AS (
       SELECT coalesce(CASE WHEN r.oid IS NOT NULL OR a.oid IS NOT NULL OR p.oid IS NOT NULL OR t.oid IS NOT NULL OR k.conrelid > 0
                            THEN 'pg_catalog.pg_class'::regclass::oid END, g.classid) AS classid,
              coalesce(r.ev_class, a.adrelid, p.polrelid, t.tgrelid, nullif(k.conrelid, 0), g.objid) AS objid
         FROM needing g
         LEFT JOIN pg_catalog.pg_rewrite r ON g.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = g.objid
         LEFT JOIN pg_catalog.pg_attrdef a ON g.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = g.objid
         LEFT JOIN pg_catalog.pg_policy p ON g.classid = 'pg_catalog.pg_policy'::regclass AND p.oid = g.objid
         LEFT JOIN pg_catalog.pg_trigger t ON g.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = g.objid
         LEFT JOIN pg_catalog.pg_constraint k ON g.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = g.objid
        WHERE k.contype IS DISTINCT FROM 'f' OR $3::boolean)
     SELECT DISTINCT CASE WHEN i.type IN ('table', 'view', 'materialized view', 'foreign table') THEN c.nspname || '.' || c.relname
                          ELSE i.type || ' ' || i.identity END AS name
       FROM owning o CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) AS i
       LEFT JOIN (SELECT c.oid, c.relname, c.relpersistence, n.nspname FROM pg_catalog.pg_class c
                    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) AS c
              ON o.classid = 'pg_catalog.pg_class'::regclass AND c.oid = o.objid
      WHERE (o.classid, o.objid) NOT IN (SELECT classid, objid FROM away) AND c.relpersistence IS DISTINCT FROM 't'
        AND (cardinality($1::text[]) = 0 OR coalesce(c.nspname, i.schema) = ANY ($1))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = o.classid AND x.objid = o.objid AND x.deptype = 'e')
      ORDER BY 1`,
    [scope.schemas, scope.excluded.map(({ oid }) => oid), format === 'plain'],
  );
  return rows.map(({ name }) => name);
}

/** Rejects with `dump-not-restorable`, naming everything, when a dump of the scope would hold what cannot be restored. */
export async function mustBeRestorable(
  session: PostgresSession,
  scope: ResolvedScope,
  format: DumpFormat | undefined,
): Promise<void> {
  const names = await readDependents(session, scope, format);
  if (names.length > 0) throw new DumpNotRestorableError(names);
}
