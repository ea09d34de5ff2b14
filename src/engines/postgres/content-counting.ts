import type { ContentFacts, ItemFacts } from '../content-facts.js';
import type { DumpScope } from '../engine.js';
import { hashLargeObjects } from './large-objects.js';
import { identifier, type PostgresSession } from './postgres-session.js';
import { readSchemaFacts } from './postgres-schema.js';
import type { PostgresCall } from './postgres-call.js';
import { type ResolvedScope, resolveScope, type TableRow } from './scope.js';
import { readServerFacts } from './server-facts.js';
import { readSequences, readSumOfPositions } from './sequence-positions.js';

/** Names the method in a manifest: two sums of 64-bit hashes of each row's text, with two seeds. */
const HASH_METHOD = 'pg-hash-v1';

export interface Counting {
  scope: ResolvedScope;
  hashContent: boolean;
  /** The server is a standby, where tables without a log are empty and may not be touched. */
  isStandby: boolean;
  serverMajor: number;
  onTable?: (table: TableRow) => void;
}

/** Begins the transaction that all counting happens in: it sees one moment, changes nothing and takes no lock that blocks writers. */
export async function beginReading(session: PostgresSession): Promise<void> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/** Table names in one statement; pg_dump sends as many in one as fit into 100 kB. */
const TABLES_PER_LOCK = 500;

/**
 * Holds every table of the scope, weakly, until the transaction ends, as `pg_dump` does for itself. `TRUNCATE` and rewriting
 * forms of `ALTER TABLE` do not respect snapshots (manual, section 13.6): without this, one of them between the dump of a table
 * and its counting would make the manifest tell of another table than the archive holds. Writers are not disturbed.
 */
export async function holdTables(session: PostgresSession, scope: ResolvedScope): Promise<void> {
  for (let first = 0; first < scope.tables.length; first += TABLES_PER_LOCK) {
    const some = scope.tables.slice(first, first + TABLES_PER_LOCK);
    const names = some.map(({ schema, name }) => `ONLY ${identifier(schema, name)}`);
    await session.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
  }
}

/** Whether hashes are wanted, from a scope. */
export function wantsHashes(scope: DumpScope): boolean {
  return scope.hashContent === true;
}

/**
 * Counts everything of a scope, in the session's transaction. The definitions come first: the functions of the server that print
 * them do not keep to the transaction's snapshot, so for a dump they have to be read when the tool reads them.
 */
export async function countContent(session: PostgresSession, counting: Counting): Promise<ContentFacts> {
  const schema = await readSchemaFacts(session, counting.scope, counting.serverMajor);
  const items: ItemFacts[] = [];
  for (const table of counting.scope.tables) {
    items.push(await countTable(session, table, counting));
    counting.onTable?.(table);
  }
  return {
    items,
    counters: await countOthers(session, counting),
    schema,
  };
}

/** Counts everything of a scope at one moment, in a session of the call. */
export async function measureContent(call: PostgresCall, scope: DumpScope): Promise<ContentFacts> {
  const session = await call.session();
  await beginReading(session);
  const { major, details } = await readServerFacts(session);
  return countContent(session, {
    scope: await resolveScope(session, scope),
    hashContent: wantsHashes(scope),
    isStandby: details.is_standby,
    serverMajor: major,
  });
}

async function countTable(session: PostgresSession, table: TableRow, counting: Counting): Promise<ItemFacts> {
  const item = { name: table.fullName, kind: 'table' as const, bytes: table.bytes };
  if (table.isUnlogged && counting.isStandby) {
    const contentHash = counting.hashContent ? { contentHash: hashOf('0', '0') } : {};
    return { ...item, rows: 0, ...contentHash };
  }
  const from = `FROM ONLY ${identifier(table.schema, table.name)}`;
  if (!counting.hashContent) {
    const { rows } = await session.one<{ rows: string }>(`SELECT count(*)::text AS rows ${from}`);
    return { ...item, rows: Number(rows) };
  }
  const row = await rowText(session, table);
  const { rows, a, b } = await session.one<{ rows: string; a: string; b: string }>(
    `SELECT count(*)::text AS rows,
            coalesce(sum(pg_catalog.hashtextextended(${row}, 0)), 0)::text AS a,
            coalesce(sum(pg_catalog.hashtextextended(${row}, 1)), 0)::text AS b ${from}`,
  );
  return { ...item, rows: Number(rows), contentHash: hashOf(a, b) };
}

/**
 * A row as text, with its columns in the order of their names: tables that inherit get theirs in another order when they are
 * made anew.
 */
async function rowText(session: PostgresSession, table: TableRow): Promise<string> {
  const columns = await session.query<{ name: string }>(
    `SELECT attname AS name FROM pg_catalog.pg_attribute
      WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attname::text COLLATE "C"`,
    [table.oid],
  );
  return `ROW(${columns.map(({ name }) => identifier(name)).join(', ')})::text`;
}

function hashOf(a: string, b: string): string {
  return `${HASH_METHOD}:${hex64(a)}${hex64(b)}`;
}

/** A sum of signed 64-bit numbers, modulo 2^64, as 16 hexadecimal digits. */
export function hex64(sum: string): string {
  return BigInt.asUintN(64, BigInt(sum)).toString(16).padStart(16, '0');
}

async function countOthers(
  session: PostgresSession,
  { scope, hashContent }: Counting,
): Promise<Record<string, number>> {
  const sequences = (await readSequences(session, scope)).length;
  const positions = await readSumOfPositions(session, scope);
  const counters = { sequences, sequence_positions: positions };
  if (scope.schemas.length > 0) return counters; // large objects belong to no schema
  const { objects } = await session.one<{ objects: string }>(
    'SELECT count(*)::text AS objects FROM pg_catalog.pg_largeobject_metadata',
  );
  const content: Record<string, number> = hashContent
    ? { large_object_content: await hashLargeObjects(session) }
    : {};
  return { large_objects: Number(objects), ...content, ...counters };
}
