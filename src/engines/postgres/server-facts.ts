import type { ServerFacts } from '../engine.js';
import { ServerTooOldError } from '../tools.errors.js';
import type { PostgresSession } from './postgres-session.js';

/** What `ServerFacts.details` of a PostgreSQL server holds; stored in manifests, hence snake case and JSON-safe. */
export interface PostgresDetails {
  encoding: string;
  /** `libc`, `icu` or `builtin`; servers before 15 know `libc` only. */
  locale_provider: string;
  collate: string;
  ctype: string;
  /** The locale of ICU or of the built-in provider. */
  locale: string | null;
  icu_rules: string | null;
  owner: string;
  size_bytes: number;
  is_standby: boolean;
  /** Position in the write-ahead log when the facts were read. */
  lsn: string | null;
  /** The identifier under which the snapshot was exported; only in the manifest of a dump. */
  snapshot?: string;
  /** The transactions that the snapshot sees. */
  snapshot_txids?: string;
  timezone: string;
  /** `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`, for people: they are no part of a dump. */
  settings: { role: string | null; setting: string }[];
  /** Versions of extensions by name. A dump does not hold them: its `CREATE EXTENSION` takes the server's own. */
  extensions: Record<string, string>;
}

interface FactsRow {
  version: string;
  version_num: number;
  encoding: string;
  locale_provider: string;
  collate: string;
  ctype: string;
  locale: string | null;
  icu_rules: string | null;
  owner: string;
  size_bytes: string;
  is_standby: boolean;
  timezone: string;
}

const PROVIDERS: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin', d: 'default' };

/** `pg_terminate_backend` with a time to wait came with 14, and what is older is not maintained any more. */
const OLDEST_MAJOR = 14;

/** Gives the major version of `server_version_num`; throws `server-too-old` for one that we do not know. */
export function supportedMajor(versionNumber: number): number {
  const major = Math.floor(versionNumber / 10_000);
  if (major < OLDEST_MAJOR) throw new ServerTooOldError(major, { oldest: OLDEST_MAJOR });
  return major;
}

/** Facts about the server and the database that the session is connected to. */
export async function readServerFacts(
  session: PostgresSession,
): Promise<ServerFacts & { details: PostgresDetails & Record<string, unknown> }> {
  // A row as JSON, because columns came and went: datlocprovider in 15, daticulocale 15–16, datlocale in 17.
  const row = await session.one<FactsRow>(
    `SELECT current_setting('server_version') AS version,
            current_setting('server_version_num')::int AS version_num,
            pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
            coalesce(to_jsonb(d)->>'datlocprovider', 'c') AS locale_provider,
            d.datcollate AS collate, d.datctype AS ctype,
            coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale,
            to_jsonb(d)->>'daticurules' AS icu_rules,
            pg_catalog.pg_get_userbyid(d.datdba) AS owner,
            pg_catalog.pg_database_size(d.oid)::text AS size_bytes,
            pg_catalog.pg_is_in_recovery() AS is_standby,
            (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone') AS timezone
       FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`,
  );
  return {
    version: row.version.split(' ')[0] ?? row.version,
    major: supportedMajor(row.version_num),
    details: {
      encoding: row.encoding,
      locale_provider: PROVIDERS[row.locale_provider] ?? row.locale_provider,
      collate: row.collate,
      ctype: row.ctype,
      locale: row.locale,
      icu_rules: row.icu_rules,
      owner: row.owner,
      size_bytes: Number(row.size_bytes),
      is_standby: row.is_standby,
      lsn: await readLsn(session, row.is_standby),
      timezone: row.timezone,
      settings: await readSettings(session),
      extensions: await readExtensions(session),
    },
  };
}

async function readLsn(session: PostgresSession, isStandby: boolean): Promise<string | null> {
  const position = isStandby ? 'pg_last_wal_replay_lsn' : 'pg_current_wal_lsn';
  const { lsn } = await session.one<{ lsn: string | null }>(`SELECT pg_catalog.${position}()::text AS lsn`);
  return lsn;
}

async function readExtensions(session: PostgresSession): Promise<Record<string, string>> {
  const rows = await session.query<{ name: string; version: string }>(
    'SELECT extname AS name, extversion AS version FROM pg_catalog.pg_extension ORDER BY extname',
  );
  return Object.fromEntries(rows.map(({ name, version }) => [name, version]));
}

/** Settings may hold secrets of extensions (`app.token`); those with a dot are named without their value. */
async function readSettings(session: PostgresSession): Promise<PostgresDetails['settings']> {
  const rows = await session.query<{ role: string | null; setting: string }>(
    `SELECT r.rolname AS role, setting
       FROM pg_catalog.pg_db_role_setting s
       JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
       LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
      CROSS JOIN LATERAL unnest(s.setconfig) AS setting ORDER BY 1 NULLS FIRST, 2`,
  );
  return rows.map(({ role, setting }) => ({ role, setting: withoutPrivateValue(setting) }));
}

function withoutPrivateValue(setting: string): string {
  const name = setting.slice(0, setting.indexOf('='));
  return name.includes('.') ? `${name}=***` : setting;
}
