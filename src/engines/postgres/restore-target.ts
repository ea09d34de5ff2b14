import { ServerTooOldError } from '../tools.errors.js';
import type { PostgresSession } from './postgres-session.js';
import type { RestoreTarget } from './restore-plan.js';
import { readServerFacts } from './server-facts.js';

/** Reads what a restore must know about its target; rejects with `server-too-old` for a dump of a newer server. */
export async function readTarget(session: PostgresSession, archiveMajor: number): Promise<RestoreTarget> {
  const { major } = await readServerFacts(session);
  if (major < archiveMajor) throw new ServerTooOldError(major, archiveMajor);
  const names = async (sql: string): Promise<Set<string>> => {
    const rows = await session.query<{ name: string }>(sql);
    return new Set(rows.map(({ name }) => name));
  };
  const { is_superuser: isSuperuser, user } = await session.one<{ is_superuser: boolean; user: string }>(
    'SELECT rolsuper AS is_superuser, rolname AS "user" FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  // Being a member was enough for both before 16; since then each grant of a membership says whether it is.
  const maySet = major >= 16 ? 'SET' : 'MEMBER';
  const { limit } = await session.one<{ limit: string }>(
    `SELECT (current_setting('max_locks_per_transaction')::bigint
             * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint))::text AS "limit"`,
  );
  return {
    lockLimit: Number(limit),
    major,
    isSuperuser,
    user,
    roles: await names('SELECT rolname AS name FROM pg_catalog.pg_roles'),
    assignableRoles: await names(
      `SELECT rolname AS name FROM pg_catalog.pg_roles
        WHERE pg_catalog.pg_has_role(current_user, oid, '${maySet}') AND pg_catalog.pg_has_role(current_user, oid, 'USAGE')`,
    ),
    publicCreators: await names(
      `SELECT r.rolname AS name FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_namespace n ON n.nspname = 'public'
        WHERE pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')`,
    ),
    schemas: await names('SELECT nspname AS name FROM pg_catalog.pg_namespace'),
    tablespaces: await names('SELECT spcname AS name FROM pg_catalog.pg_tablespace'),
    extensions: await names('SELECT name FROM pg_catalog.pg_available_extensions'),
  };
}
