import type { DumpScope, ProbeReport } from '../engine.js';
import type { PostgresCall } from './postgres-call.js';
import type { PostgresSession } from './postgres-session.js';
import type { PostgresTools } from './postgres-tools.js';
import { warnOfSettings, warnOfSubscriptions, warnOfTablespaces } from './probe-not-carried.js';
import { resolveScope, type ResolvedScope, unreadable, USER_SCHEMA } from './scope.js';
import { readDependents } from './scope-dependents.js';
import { type PostgresDetails, readServerFacts } from './server-facts.js';

type Warning = ProbeReport['warnings'][number];

/** Connects and says what a dump of `wanted` would meet. Rejects when no dump is possible at all. */
export async function probePostgres(
  call: PostgresCall,
  wanted: DumpScope,
  tools: PostgresTools,
): Promise<ProbeReport> {
  const session = await call.session();
  const server = await readServerFacts(session);
  const tool = await tools.atLeast('pg_dump', server.major, `a server of version ${server.major}`);
  const scope = await resolveScope(session, wanted);
  const warnings = [
    ...(await warnOfRights(session, scope)),
    ...warnOfDependents(await readDependents(session, scope, wanted.format)),
    ...warnOfStandby(server.details, scope),
    ...(await warnOfForeignTables(session)),
    ...warnOfSettings(server.details),
    ...(await warnOfTablespaces(session)),
    ...(await warnOfSubscriptions(session)),
  ];
  return {
    server,
    sizeBytes: server.details.size_bytes,
    itemCount: scope.tables.length,
    tool: { name: tool.name, version: tool.version },
    warnings,
  };
}

async function warnOfRights(session: PostgresSession, scope: ResolvedScope): Promise<Warning[]> {
  const warnings: Warning[] = [];
  const names = await unreadable(session, scope);
  if (names.length > 0) {
    const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
    warnings.push({
      code: 'tables-unreadable',
      detail: `the user cannot read all of ${shown}, so a backup fails; grant SELECT, or exclude these tables`,
    });
  }
  const { may_create: mayCreate } = await session.one<{ may_create: boolean }>(
    'SELECT rolcreatedb OR rolsuper AS may_create FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  if (!mayCreate) {
    warnings.push({
      code: 'cannot-create-databases',
      detail:
        'the user may not create databases; a restore beside the old database needs CREATEDB or another user',
    });
  }
  return warnings;
}

function warnOfDependents(names: readonly string[]): Warning[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
  return [
    {
      code: 'dump-not-restorable',
      detail: `a backup fails, because what is left out of it is needed by ${shown}; leave these out too, or keep what they need`,
    },
  ];
}

function warnOfStandby(details: PostgresDetails, scope: ResolvedScope): Warning[] {
  if (!details.is_standby) return [];
  const unlogged = scope.tables.filter(({ isUnlogged }) => isUnlogged).map(({ fullName }) => fullName);
  const rows =
    unlogged.length > 0 ? `; the rows of unlogged tables are not there: ${unlogged.join(', ')}` : '';
  return [
    {
      code: 'standby',
      detail: `the server is a standby: it may end a long backup to go on with the primary's changes${rows}`,
    },
  ];
}

async function warnOfForeignTables(session: PostgresSession): Promise<Warning[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'f' AND ${USER_SCHEMA} ORDER BY 1 LIMIT 20`,
  );
  if (rows.length === 0) return [];
  const names = rows.map(({ name }) => name).join(', ');
  return [
    {
      code: 'foreign-tables',
      detail: `rows of foreign tables belong to other servers and are not dumped: ${names}`,
    },
  ];
}
