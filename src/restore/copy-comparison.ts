import { compareContent, type ContentComparison } from '../engines/content-comparison.js';
import { type ContentFacts, UNSETTLED_SCHEMA } from '../engines/content-facts.js';
import type { ComparedFigures } from './restore-result.js';
import { RestoreDiffersError } from './restore.errors.js';

/**
 * Compares a restored copy with its manifest. Pure.
 * @param only the tables that were chosen; null: everything
 * @returns what was compared, and what could not be
 * @throws RestoreDiffersError with every difference
 */
export function compareCopy(
  expected: ContentFacts,
  found: ContentFacts,
  only: readonly string[] | null,
): { compared: ComparedFigures; notes: string[] } {
  const comparison = only === null ? compareContent(expected, found) : compareChosen(expected, found, only);
  if (comparison.differences.length > 0) throw new RestoreDiffersError(comparison.differences);
  const { items, rows, hashedItems: hashes, schemaCompared: schema } = comparison;
  const expired = comparison.expired.reduce((sum, one) => sum + one.expected - one.found, 0);
  const notes = comparison.expired.map(
    ({ name, expected: dumped, found: left }) =>
      `${name} has ${left} of ${dumped} rows: the server deletes those of it that are old enough (a TTL index), ` +
      'and did so after they were loaded.',
  );
  const definitions =
    only === null && !schema
      ? [`The definitions were not compared: ${whyNot(expected, found)}. Tables and rows were.`]
      : [];
  return { compared: { items, rows, hashes, schema, expired }, notes: [...notes, ...definitions] };
}

function whyNot({ schema: expected }: ContentFacts, { schema: found }: ContentFacts): string {
  if (expected.comparableWith === UNSETTLED_SCHEMA) {
    return 'somebody changed some while the dump was reading them, so which of them it holds cannot be told';
  }
  return `${expected.comparableWith} and ${found.comparableWith} describe them in different words`;
}

/**
 * Tables that were not chosen may be there too: without rows, because a chosen one needs their definition; or with all of
 * them, as partitions of a chosen one. Any other number of rows is a difference.
 */
function compareChosen(
  expected: ContentFacts,
  found: ContentFacts,
  chosen: readonly string[],
): ContentComparison {
  const items = found.items.filter(({ name, rows }) => chosen.includes(name) || rows > 0);
  const names = new Set([...chosen, ...items.map(({ name }) => name)]);
  return compareContent(expected, { ...found, items }, [...names]);
}
