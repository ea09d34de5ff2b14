import { createHash } from 'node:crypto';

import type { SchemaFacts } from '../content-facts.js';
import type { PostgresSession } from './postgres-session.js';
import { SCHEMA_QUERIES, SCHEMA_QUERIES_VERSION } from './schema-queries.js';
import type { ResolvedScope } from './scope.js';

/** One definition in canonical form. */
export interface Definition {
  kind: string;
  name: string;
  definition: string | null;
}

/**
 * Reads every definition of a scope and gives their digest. Comparable within one major version only: the server prints
 * definitions, and prints them differently from version to version. And only with digests of the same queries.
 */
export async function readSchemaFacts(
  session: PostgresSession,
  scope: ResolvedScope,
  serverMajor: number,
): Promise<SchemaFacts> {
  return digestOf(await readDefinitions(session, scope), serverMajor);
}

/** Every definition of a scope, in no particular order. */
export async function readDefinitions(session: PostgresSession, scope: ResolvedScope): Promise<Definition[]> {
  const definitions: Definition[] = [];
  const values = [scope.schemas, scope.excluded.map(({ oid }) => oid)];
  for (const { kind, sql, inSchema } of SCHEMA_QUERIES) {
    if (!inSchema && scope.schemas.length > 0) continue;
    // Not every query uses both parameters, and the server must know the type of each.
    const rows = await session.query<{ name: string; definition: string | null }>(
      `SELECT name, definition FROM (${sql}) AS q WHERE cardinality($1::text[]) >= 0 AND cardinality($2::oid[]) >= 0`,
      values,
    );
    definitions.push(...rows.map((row) => ({ kind, ...row })));
  }
  return definitions;
}

/** Digest and counts of definitions, whatever their order. */
export function digestOf(definitions: readonly Definition[], serverMajor: number): SchemaFacts {
  const objects: Record<string, number> = {};
  const lines: string[] = [];
  for (const { kind, name, definition } of definitions) {
    objects[kind] = (objects[kind] ?? 0) + 1;
    lines.push(JSON.stringify([kind, name, definition]));
  }
  const digest = createHash('sha256').update(lines.sort().join('\n')).digest('hex');
  return { digest, comparableWith: `postgres-${serverMajor}/${SCHEMA_QUERIES_VERSION}`, objects };
}
