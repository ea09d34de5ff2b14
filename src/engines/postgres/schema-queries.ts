import { OTHER_QUERIES } from './schema-queries-others.js';
import { inOrder, type SchemaQuery } from './schema-query.js';
import { notOfExtension, USER_SCHEMA } from './scope.js';

const IN_SCOPE = `${USER_SCHEMA} AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1))`;
const TABLE_IN_SCOPE = `${IN_SCOPE} AND c.relpersistence <> 't' AND c.oid <> ALL ($2::oid[]) AND ${notOfExtension('pg_class', 'c.oid')}`;
const FULL_NAME = `n.nspname || '.' || c.relname`;
const OPTIONS = inOrder('c.reloptions');

/** Children of inheritance get their columns in another order when they are made anew; there the order is the names'. */
const COLUMNS = `(
  SELECT jsonb_agg(jsonb_build_object(
           'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
           'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated,
           'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
           'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
           'compression', nullif(to_jsonb(a)->>'attcompression', ''),
           'statistics', nullif(coalesce(a.attstattarget, -1), -1),
           'options', ${inOrder('a.attoptions')}, 'fdw_options', ${inOrder('a.attfdwoptions')})
         ORDER BY CASE WHEN c.relispartition OR NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
                       THEN a.attnum ELSE 0 END, a.attname)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)`;

const TABLE_QUERIES: readonly SchemaQuery[] = [
  {
    kind: 'tables',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} AS name, jsonb_build_object(
            'kind', c.relkind, 'persistence', c.relpersistence, 'options', ${OPTIONS},
            'row_security', c.relrowsecurity, 'force_row_security', c.relforcerowsecurity, 'replica_identity', c.relreplident,
            'of_type', nullif(c.reloftype, 0)::regtype::text,
            'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
            'partition_bound', pg_catalog.pg_get_expr(c.relpartbound, c.oid),
            'parents', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
            'foreign', (SELECT jsonb_build_object('server', s.srvname, 'options', ${inOrder('f.ftoptions')}) FROM pg_catalog.pg_foreign_table f
                          JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
            'columns', ${COLUMNS})::text AS definition
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'f') AND ${TABLE_IN_SCOPE}`,
  },
  {
    kind: 'views',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} AS name, jsonb_build_object('kind', c.relkind, 'options', ${OPTIONS}, 'populated', c.relispopulated,
            'query', pg_catalog.pg_get_viewdef(c.oid))::text AS definition
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('v', 'm') AND ${TABLE_IN_SCOPE}`,
  },
  {
    kind: 'indexes',
    inSchema: true,
    sql: `SELECT n.nspname || '.' || ix.relname AS name, jsonb_build_object('definition', pg_catalog.pg_get_indexdef(i.indexrelid),
            'clustered', i.indisclustered, 'replica_identity', i.indisreplident,
            'parent', (SELECT h.inhparent::regclass::text FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid))::text AS definition
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ix ON ix.oid = i.indexrelid
          JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE (i.indisvalid OR c.relkind = 'p') AND i.indisready AND c.relkind IN ('r', 'p', 'm') AND ${TABLE_IN_SCOPE}`,
  },
  {
    // Foreign keys of partitions come from their parent's, under names that the server makes up. NOT NULL is told by columns.
    kind: 'constraints',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} || '.' || o.conname AS name, pg_catalog.pg_get_constraintdef(o.oid) AS definition
          FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE o.contype IN ('c', 'f', 'p', 'u', 'x') AND NOT (o.contype = 'f' AND o.conparentid <> 0)
           AND o.confrelid <> ALL ($2::oid[]) AND ${TABLE_IN_SCOPE}`,
  },
  {
    kind: 'triggers',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} || '.' || t.tgname AS name, concat_ws(' ', t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid)) AS definition
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT t.tgisinternal AND coalesce(to_jsonb(t)->>'tgparentid', '0') = '0' AND ${TABLE_IN_SCOPE}`,
  },
  {
    kind: 'rules',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} || '.' || r.rulename AS name, concat_ws(' ', r.ev_enabled, pg_catalog.pg_get_ruledef(r.oid)) AS definition
          FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE r.rulename <> '_RETURN' AND ${TABLE_IN_SCOPE}`,
  },
  {
    kind: 'policies',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} || '.' || p.polname AS name, jsonb_build_object('command', p.polcmd, 'permissive', p.polpermissive,
            'roles', (SELECT jsonb_agg(coalesce(a.rolname, 'public') ORDER BY a.rolname) FROM unnest(p.polroles) AS r(oid)
                        LEFT JOIN pg_catalog.pg_roles a ON a.oid = r.oid),
            'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))::text AS definition
          FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${TABLE_IN_SCOPE}`,
  },
  {
    kind: 'sequences',
    inSchema: true,
    sql: `SELECT ${FULL_NAME} AS name, jsonb_build_object('type', s.seqtypid::regtype::text, 'start', s.seqstart, 'increment', s.seqincrement,
            'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle, 'persistence', c.relpersistence,
            'owned_by', (SELECT concat_ws(' ', d.deptype, d.refobjid::regclass, a.attname)
                           FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> ALL ($2::oid[])))::text AS definition
          FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE ${TABLE_IN_SCOPE}
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.classid = 'pg_catalog.pg_class'::regclass
                 AND o.objid = c.oid AND o.deptype = 'i' AND o.refobjid = ANY ($2::oid[]))`,
  },
  {
    kind: 'statistics',
    inSchema: true,
    sql: `SELECT n.nspname || '.' || s.stxname AS name, pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition
          FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE ${TABLE_IN_SCOPE}`,
  },
];

/** Raised whenever a query changes, so that nobody compares the digests of two sets of them. */
export const SCHEMA_QUERIES_VERSION = 2;

/** Every kind of definition that makes up the schema's digest. */
export const SCHEMA_QUERIES: readonly SchemaQuery[] = [...TABLE_QUERIES, ...OTHER_QUERIES];
