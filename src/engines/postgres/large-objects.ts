import type { PostgresSession } from './postgres-session.js';

/** Bytes of one large object that the server reads at a time; an object may have 4 TB. */
const PIECE_BYTES = 1024 * 1024;
/** Objects that one statement reads. */
const BATCH = 500;
/** Numbers of JSON are exact up to here. */
const EXACT_BITS = 53;

/**
 * The content of all large objects as one number that compares exactly: the sum of 64 bits of the SHA-256 of each piece, its
 * object and its place. Read by `lo_get`, as pg_dump does, and not from the pages of `pg_largeobject`: an object with holes
 * has fewer of them than its restored copy. Sees the transaction's snapshot.
 */
export async function hashLargeObjects(session: PostgresSession): Promise<number> {
  let total = 0n;
  let last = '0'; // no object has it
  for (;;) {
    const oids = await nextObjects(session, last);
    if (oids.length === 0) return Number(BigInt.asUintN(EXACT_BITS, total));
    last = oids.at(-1) ?? last;
    total += await hashObjects(session, oids);
  }
}

async function nextObjects(session: PostgresSession, after: string): Promise<string[]> {
  const rows = await session.query<{ oid: string }>(
    // By the column, not by its text, which would have its name: that sorts everything for each batch, and passes objects over.
    `SELECT m.oid::text FROM pg_catalog.pg_largeobject_metadata m WHERE m.oid > $1::oid ORDER BY m.oid LIMIT ${BATCH}`,
    [after],
  );
  return rows.map(({ oid }) => oid);
}

async function hashObjects(session: PostgresSession, oids: readonly string[]): Promise<bigint> {
  let total = 0n;
  let longer = oids;
  for (let offset = 0; longer.length > 0; offset += PIECE_BYTES) {
    // The inner query is evaluated once for each object: lo_get is volatile.
    const { sum, full } = await session.one<{ sum: string; full: string[] }>(
      `SELECT coalesce(sum(('x' || pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(
                pg_catalog.convert_to(o.oid || '@' || $2::bigint || ':', 'UTF8') || o.piece), 'hex'), 16))::bit(64)::bigint), 0)::text AS sum,
              coalesce(array_agg(o.oid::text) FILTER (WHERE pg_catalog.length(o.piece) = ${PIECE_BYTES}), '{}') AS "full"
         FROM (SELECT oid, pg_catalog.lo_get(oid, $2::bigint, ${PIECE_BYTES}) AS piece FROM unnest($1::oid[]) AS oid) AS o`,
      [longer, offset],
    );
    total += BigInt(sum);
    longer = full;
  }
  return total;
}
