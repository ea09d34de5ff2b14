import type { SwapNames } from '../engine.js';
import { identifier, literal, type PostgresSession } from './postgres-session.js';

/**
 * Renames `live` to `keepAs` and `fresh` to `live` in one transaction, after `fresh` was given what belongs to the database
 * `live` itself: owner, rights, settings, comment. Nobody ever sees one rename without the other.
 */
export async function swapNames(session: PostgresSession, { live, fresh, keepAs }: SwapNames): Promise<void> {
  await session.query('BEGIN');
  try {
    for (const statement of await ownStatements(session, live, fresh)) await session.query(statement);
    await session.query(`ALTER DATABASE ${identifier(live)} RENAME TO ${identifier(keepAs)}`);
    await session.query(`ALTER DATABASE ${identifier(fresh)} RENAME TO ${identifier(live)}`);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Statements that give `fresh` what belongs to the database `live` itself and not to its content. */
async function ownStatements(session: PostgresSession, live: string, fresh: string): Promise<string[]> {
  const to = identifier(fresh);
  const row = await session.one<{ owner: string; comment: string | null; limit: number }>(
    `SELECT pg_catalog.pg_get_userbyid(datdba) AS owner, pg_catalog.shobj_description(oid, 'pg_database') AS comment,
            datconnlimit AS "limit" FROM pg_catalog.pg_database WHERE datname = $1`,
    [live],
  );
  const rights = await session.query<{ grantee: string | null; privilege: string; grantable: boolean }>(
    `SELECT r.rolname AS grantee, a.privilege_type AS privilege, a.is_grantable AS grantable
       FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) AS a
       LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      WHERE d.datname = $1 AND d.datacl IS NOT NULL ORDER BY 1 NULLS FIRST, 2`,
    [live],
  );
  const settings = await session.query<{ role: string | null; name: string; value: string }>(
    `SELECT r.rolname AS role, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
       FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = $1
       LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS c`,
    [live],
  );
  return [
    `ALTER DATABASE ${to} OWNER TO ${identifier(row.owner)}`,
    `ALTER DATABASE ${to} CONNECTION LIMIT ${row.limit}`,
    `COMMENT ON DATABASE ${to} IS ${row.comment === null ? 'NULL' : literal(row.comment)}`,
    // Public may connect by default; where somebody took that away it must not come back.
    ...(rights.length > 0 ? [`REVOKE ALL ON DATABASE ${to} FROM PUBLIC`] : []),
    ...rights.map(
      ({ grantee, privilege, grantable }) =>
        `GRANT ${privilege} ON DATABASE ${to} TO ${grantee === null ? 'PUBLIC' : identifier(grantee)}` +
        (grantable ? ' WITH GRANT OPTION' : ''),
    ),
    ...settings.map(({ role, name, value }) => settingStatement(to, role, name, value)),
  ];
}

/** Settings that are lists of names are stored as one text, and must not be quoted as one name. */
const LISTS = /^(search_path|temp_tablespaces|.*_preload_libraries|datestyle)$/i;

function settingStatement(database: string, role: string | null, name: string, value: string): string {
  const whose = role === null ? `DATABASE ${database}` : `ROLE ${identifier(role)} IN DATABASE ${database}`;
  const values = LISTS.test(name) ? listElements(value).map(literal).join(', ') : literal(value);
  return `ALTER ${whose} SET ${name
    .split('.')
    .map((part) => identifier(part))
    .join('.')} TO ${values}`;
}

/** `"$user", public` → `$user`, `public` */
export function listElements(value: string): string[] {
  const elements = value.match(/"(?:[^"]|"")*"|[^,\s]+/g) ?? [];
  const names = elements.map((name) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
  );
  return names.length > 0 ? names : [''];
}
