/**
 * One kind of definition. The query gives rows `(name, definition)`; `$1` are the schemas of the scope (empty: all), `$2` the
 * oids of excluded tables. What a query prints must be the same before a dump and after its restore on the same major
 * version: no oids, no owners and rights (a restore may have to leave them out), no positions of columns (dropped ones leave
 * gaps), no names that the server made up itself.
 */
export interface SchemaQuery {
  /** Key in `SchemaFacts.objects`. */
  kind: string;
  sql: string;
  /** False for what belongs to no schema: such things are no part of a dump of some schemas. */
  inSchema: boolean;
}

/**
 * Options (`name=value`, an array) in order of name: the server keeps them as they were given, pg_dump sorts some of them. Without
 * `pg_attver`, which PostgreSQL 17.12 writes into every column for itself, another one in each database; pg_dump passes over it.
 */
export function inOrder(options: string): string {
  return `(SELECT array_agg(o ORDER BY o COLLATE "C") FROM unnest(${options}) AS o WHERE o NOT LIKE 'pg\\_attver=%')`;
}
