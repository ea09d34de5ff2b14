/**
 * The table that a line of `--verbose` speaks of, when it marks the start of that table's data; otherwise `undefined`.
 * Lines of pg_dump 12–18: `pg_dump: dumping contents of table "public.orders"`; of pg_restore:
 * `pg_restore: processing data for table "public.orders"`, with several jobs also `… launching item 3500 TABLE DATA orders`.
 */
export function tableOfLine(line: string): string | undefined {
  return /^pg_(?:dump|restore): (?:dumping contents of|processing data for) table "(.*)"$/.exec(line)?.[1];
}
