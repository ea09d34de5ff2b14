import { identifier, type PostgresSession } from './postgres-session.js';
import { notOfExtension, type ResolvedScope, USER_SCHEMA } from './scope.js';

const SETVAL = /setval\(E?'(?:[^'\\]|''|\\.)*', (-?\d+), (true|false)\);\s*$/;
/** Numbers of JSON are exact up to here. */
const EXACT_BITS = 53;
/** Sequences that one statement reads. */
const BATCH = 200;

/**
 * Where the sequences of a dump stand, as one number that compares exactly: the sum of their last values, each one higher when
 * that value was given out. `statements` are the dump's `SELECT pg_catalog.setval('name', 42, true);`.
 */
export function sumOfPositions(statements: readonly string[]): number {
  const positions = statements.map((statement) => {
    const [, value, isCalled] = SETVAL.exec(statement) ?? [];
    return value === undefined ? 0n : position(value, isCalled === 'true');
  });
  return sum(positions);
}

/** The same of a database. Only exact while nobody draws from a sequence: they do not care for snapshots. */
export async function readSumOfPositions(session: PostgresSession, scope: ResolvedScope): Promise<number> {
  const sequences = await readSequences(session, scope);
  const positions: bigint[] = [];
  for (let at = 0; at < sequences.length; at += BATCH) {
    const parts = sequences
      .slice(at, at + BATCH)
      .map(
        ({ schema, name }) => `SELECT last_value::text AS value, is_called FROM ${identifier(schema, name)}`,
      );
    const rows = await session.query<{ value: string; is_called: boolean }>(parts.join(' UNION ALL '));
    positions.push(...rows.map(({ value, is_called: isCalled }) => position(value, isCalled)));
  }
  return sum(positions);
}

/** The sequences of a scope. A sequence that is the identity of an excluded table goes with it. */
export async function readSequences(
  session: PostgresSession,
  scope: ResolvedScope,
): Promise<{ schema: string; name: string }[]> {
  return await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
        AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.classid = 'pg_catalog.pg_class'::regclass
              AND o.objid = c.oid AND o.deptype = 'i' AND o.refobjid = ANY ($2::oid[]))`,
    [scope.schemas, scope.excluded.map(({ oid }) => oid)],
  );
}

function position(value: string, isCalled: boolean): bigint {
  return BigInt(value) + (isCalled ? 1n : 0n);
}

function sum(positions: readonly bigint[]): number {
  const total = positions.reduce((subtotal, next) => subtotal + next, 0n);
  return Number(BigInt.asUintN(EXACT_BITS, total));
}
