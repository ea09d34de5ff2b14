import { inOrder, type SchemaQuery } from './schema-query.js';
import { RARE_QUERIES } from './schema-queries-rare.js';
import { notOfExtension, USER_SCHEMA } from './scope.js';

const IN_SCOPE = `${USER_SCHEMA} AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1))`;
const FIRST_USER_OID = 16_384;

/** Definitions that are no part of a table. */
export const OTHER_QUERIES: readonly SchemaQuery[] = [
  ...RARE_QUERIES,
  {
    // Every new database has a schema "public", also when the dumped one had none.
    kind: 'schemas',
    inSchema: true,
    sql: `SELECT n.nspname AS name, '' AS definition FROM pg_catalog.pg_namespace n
         WHERE ${IN_SCOPE} AND n.nspname <> 'public' AND ${notOfExtension('pg_namespace', 'n.oid')}`,
  },
  {
    kind: 'functions',
    inSchema: true,
    sql: `SELECT p.oid::regprocedure::text AS name,
            CASE WHEN p.prokind = 'a'
                 THEN (SELECT concat_ws(' ', 'aggregate', a.aggkind, a.aggtransfn::oid::regprocedure, a.aggtranstype::regtype,
                              a.aggfinalfn::oid::regprocedure, a.aggcombinefn::oid::regprocedure, a.agginitval, a.aggsortop::regoperator)
                         FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid)
                 ELSE pg_catalog.pg_get_functiondef(p.oid) END AS definition
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_proc', 'p.oid')}
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.classid = 'pg_catalog.pg_proc'::regclass
                 AND i.objid = p.oid AND i.deptype = 'i')`,
  },
  {
    kind: 'types',
    inSchema: true,
    sql: `SELECT t.oid::regtype::text AS name, jsonb_build_object('kind', t.typtype,
            'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
            'attributes', (SELECT jsonb_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
                             FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
            'base', nullif(pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod), '-'), 'not_null', t.typnotnull, 'default', t.typdefault,
            'checks', (SELECT jsonb_agg(concat_ws(' ', o.conname, pg_catalog.pg_get_constraintdef(o.oid)) ORDER BY o.conname)
                         FROM pg_catalog.pg_constraint o WHERE o.contypid = t.oid AND o.contype = 'c'),
            'range_of', (SELECT concat_ws(' ', r.rngsubtype::regtype, r.rngsubdiff::oid::regprocedure) FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid))::text AS definition
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
          LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
         WHERE t.typtype <> 'm' AND (t.typrelid = 0 OR c.relkind = 'c')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_type el WHERE el.typarray = t.oid)
           AND ${IN_SCOPE} AND ${notOfExtension('pg_type', 't.oid')}`,
  },
  {
    kind: 'collations',
    inSchema: true,
    sql: `SELECT n.nspname || '.' || o.collname AS name,
            (to_jsonb(o) - '{oid,collnamespace,collowner,collversion}'::text[])::text AS definition
          FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_collation', 'o.oid')}`,
  },
  {
    kind: 'operators',
    inSchema: true,
    sql: `SELECT o.oid::regoperator::text AS name, concat_ws(' ', o.oprcode::oid::regprocedure, o.oprresult::regtype,
            nullif(o.oprcom, 0)::regoperator, nullif(o.oprnegate, 0)::regoperator, o.oprcanmerge, o.oprcanhash) AS definition
          FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
         WHERE o.oprcode <> 0 AND ${IN_SCOPE} AND ${notOfExtension('pg_operator', 'o.oid')}`,
  },
  {
    kind: 'operator_classes',
    inSchema: true,
    sql: `SELECT n.nspname || '.' || o.opcname || ' ' || m.amname AS name, concat_ws(' ', o.opcintype::regtype, o.opcdefault) AS definition
          FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_opclass', 'o.oid')}`,
  },
  {
    kind: 'text_search',
    inSchema: true,
    sql: `SELECT 'configuration ' || n.nspname || '.' || s.cfgname AS name,
            (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', ' ORDER BY m.maptokentype, m.mapseqno)
               FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = s.oid) AS definition
          FROM pg_catalog.pg_ts_config s JOIN pg_catalog.pg_namespace n ON n.oid = s.cfgnamespace
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_ts_config', 's.oid')}
         UNION ALL
         SELECT 'dictionary ' || n.nspname || '.' || s.dictname, s.dictinitoption
          FROM pg_catalog.pg_ts_dict s JOIN pg_catalog.pg_namespace n ON n.oid = s.dictnamespace
         WHERE ${IN_SCOPE} AND ${notOfExtension('pg_ts_dict', 's.oid')}`,
  },
  {
    // Without versions: a dump does not hold them, and CREATE EXTENSION takes the server's own.
    kind: 'extensions',
    inSchema: false,
    sql: `SELECT e.extname AS name, n.nspname AS definition
          FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace`,
  },
  {
    kind: 'casts',
    inSchema: false,
    sql: `SELECT concat_ws(' AS ', k.castsource::regtype, k.casttarget::regtype) AS name,
            concat_ws(' ', k.castcontext, k.castmethod, nullif(k.castfunc, 0)::regprocedure) AS definition
          FROM pg_catalog.pg_cast k WHERE k.oid >= ${FIRST_USER_OID} AND ${notOfExtension('pg_cast', 'k.oid')}`,
  },
  {
    kind: 'event_triggers',
    inSchema: false,
    sql: `SELECT e.evtname AS name, concat_ws(' ', e.evtevent, e.evtenabled, e.evtfoid::regprocedure, e.evttags) AS definition
          FROM pg_catalog.pg_event_trigger e WHERE ${notOfExtension('pg_event_trigger', 'e.oid')}`,
  },
  {
    kind: 'foreign_servers',
    inSchema: false,
    sql: `SELECT s.srvname AS name, concat_ws(' ', w.fdwname, s.srvtype, s.srvversion, ${inOrder('s.srvoptions')}) AS definition
          FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
         WHERE ${notOfExtension('pg_foreign_server', 's.oid')}`,
  },
  {
    // The view is read as JSON, because columns and row filters came with 15. Excluded tables are in no publication of a copy.
    kind: 'publications',
    inSchema: false,
    sql: `SELECT p.pubname AS name, concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
            (SELECT jsonb_agg(to_jsonb(t) ORDER BY t.schemaname, t.tablename) FROM pg_catalog.pg_publication_tables t
              WHERE t.pubname = p.pubname AND NOT p.puballtables
                AND format('%I.%I', t.schemaname, t.tablename)::regclass::oid <> ALL ($2::oid[]))) AS definition
          FROM pg_catalog.pg_publication p`,
  },
  {
    // Of what belongs to a schema. Those of constraints, triggers and the like go with their tables and are left out.
    kind: 'comments',
    inSchema: true,
    sql: `SELECT i.type || ' ' || i.identity AS name, d.description AS definition
          FROM pg_catalog.pg_description d
         CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
          JOIN pg_catalog.pg_namespace n ON n.nspname = coalesce(i.schema, i.name)
         WHERE d.objoid >= ${FIRST_USER_OID}
           AND d.classoid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_type'::regclass, 'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_namespace'::regclass)
           AND (i.schema IS NOT NULL OR d.classoid = 'pg_catalog.pg_namespace'::regclass)
           AND d.objoid <> ALL ($2::oid[])
           AND d.objoid NOT IN (SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid = ANY ($2::oid[]))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = d.classoid AND x.objid = d.objoid AND x.deptype IN ('e', 'i') AND d.classoid <> 'pg_catalog.pg_class'::regclass)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = d.classoid AND x.objid = d.objoid AND x.deptype = 'e')
           AND ${IN_SCOPE}`,
  },
];
