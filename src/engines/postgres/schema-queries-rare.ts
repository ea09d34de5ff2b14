import { inOrder, type SchemaQuery } from './schema-query.js';
import { notOfExtension, USER_SCHEMA } from './scope.js';

const IN_SCOPE = `${USER_SCHEMA} AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1))`;
const FIRST_USER_OID = 16_384;

/** Members of an operator family, those of its classes too. */
const MEMBERS = `(
  SELECT jsonb_agg(member ORDER BY member COLLATE "C") FROM (
    SELECT concat_ws(' ', 'operator', o.amopstrategy, o.amopopr::regoperator, o.amoppurpose) AS member
      FROM pg_catalog.pg_amop o WHERE o.amopfamily = f.oid
    UNION ALL
    SELECT concat_ws(' ', 'function', p.amprocnum, p.amproclefttype::regtype, p.amprocrighttype::regtype, p.amproc::oid::regprocedure)
      FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = f.oid) AS members)`;

/**
 * Definitions that few databases have. Subscriptions are not among them: pg_dump writes them for a superuser only.
 */
export const RARE_QUERIES: readonly SchemaQuery[] = [
  {
    kind: 'operator_families',
    inSchema: true,
    sql: `SELECT n.nspname || '.' || f.opfname || ' ' || m.amname AS name, ${MEMBERS}::text AS definition
          FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
          JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_opfamily', 'f.oid')}`,
  },
  {
    kind: 'conversions',
    inSchema: true,
    sql: `SELECT n.nspname || '.' || v.conname AS name,
            concat_ws(' ', v.conforencoding, v.contoencoding, v.conproc::oid::regprocedure, v.condefault) AS definition
          FROM pg_catalog.pg_conversion v JOIN pg_catalog.pg_namespace n ON n.oid = v.connamespace
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_conversion', 'v.oid')}`,
  },
  {
    kind: 'languages',
    inSchema: false,
    sql: `SELECT l.lanname AS name, concat_ws(' ', l.lanpltrusted, nullif(l.lanplcallfoid, 0)::regprocedure,
            nullif(l.laninline, 0)::regprocedure, nullif(l.lanvalidator, 0)::regprocedure) AS definition
          FROM pg_catalog.pg_language l WHERE l.oid >= ${FIRST_USER_OID} AND ${notOfExtension('pg_language', 'l.oid')}`,
  },
  {
    kind: 'transforms',
    inSchema: false,
    sql: `SELECT concat_ws(' FOR ', l.lanname, t.trftype::regtype) AS name,
            concat_ws(' ', nullif(t.trffromsql::oid, 0)::regprocedure, nullif(t.trftosql::oid, 0)::regprocedure) AS definition
          FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
         WHERE ${notOfExtension('pg_transform', 't.oid')}`,
  },
  {
    kind: 'access_methods',
    inSchema: false,
    sql: `SELECT m.amname AS name, concat_ws(' ', m.amtype, m.amhandler::oid::regprocedure) AS definition
          FROM pg_catalog.pg_am m WHERE m.oid >= ${FIRST_USER_OID} AND ${notOfExtension('pg_am', 'm.oid')}`,
  },
  {
    kind: 'foreign_data_wrappers',
    inSchema: false,
    sql: `SELECT w.fdwname AS name, concat_ws(' ', nullif(w.fdwhandler, 0)::regprocedure,
            nullif(w.fdwvalidator, 0)::regprocedure, ${inOrder('w.fdwoptions')}) AS definition
          FROM pg_catalog.pg_foreign_data_wrapper w WHERE ${notOfExtension('pg_foreign_data_wrapper', 'w.oid')}`,
  },
  {
    // Their options may hold passwords, and are shown to few. The table behind this view is for superusers alone.
    kind: 'user_mappings',
    inSchema: false,
    sql: `SELECT concat_ws(' ON ', u.usename, u.srvname) AS name, '' AS definition FROM pg_catalog.pg_user_mappings u`,
  },
];
