import type { ProbeReport } from '../engine.js';
import type { PostgresSession } from './postgres-session.js';
import type { PostgresDetails } from './server-facts.js';

type Warning = ProbeReport['warnings'][number];

const MOST_NAMES = 20;

/** Settings of the database itself are in the manifest, for people; no dump holds them. */
export function warnOfSettings({ settings }: PostgresDetails): Warning[] {
  if (settings.length === 0) return [];
  const names = settings.map(({ role, setting }) => {
    const name = setting.slice(0, setting.indexOf('='));
    return role === null ? name : `${name} (of ${role})`;
  });
  return [
    {
      code: 'database-settings',
      detail:
        `settings made by ALTER DATABASE … SET are not restored into a new database; ` +
        `a restore in the place of the old one keeps them: ${listed(names)}`,
    },
  ];
}

/** A tablespace is a folder of the server. */
export async function warnOfTablespaces(session: PostgresSession): Promise<Warning[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT t.spcname AS name FROM pg_catalog.pg_tablespace t
      WHERE t.oid IN (SELECT reltablespace FROM pg_catalog.pg_class WHERE relkind <> 't' AND oid >= 16384) ORDER BY 1`,
  );
  if (rows.length === 0) return [];
  return [
    {
      code: 'tablespaces',
      detail:
        `tablespaces themselves are not dumped; where the target server has none of that name, ` +
        `everything is restored into its default one: ${listed(rows.map(({ name }) => name))}`,
    },
  ];
}

/** `pg_dump` writes subscriptions for a superuser only, and all of them disabled. */
export async function warnOfSubscriptions(session: PostgresSession): Promise<Warning[]> {
  const rows = await session.query<{ name: string; superuser: boolean }>(
    `SELECT s.subname AS name, current_setting('is_superuser') = 'on' AS superuser FROM pg_catalog.pg_subscription s
      WHERE s.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) ORDER BY 1`,
  );
  if (rows.length === 0) return [];
  const names = listed(rows.map(({ name }) => name));
  return [
    {
      code: 'subscriptions',
      detail:
        rows[0]?.superuser === true
          ? `subscriptions are restored disabled, and without the state of their replication: ${names}`
          : `subscriptions are dumped for a superuser only, and are left out: ${names}`,
    },
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return names.slice(0, MOST_NAMES).join(', ') + more;
}
