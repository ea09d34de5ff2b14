import type { ContentFacts, ItemFacts } from './content-facts.js';

/** One way in which a restored copy is not what the manifest says. JSON-safe. */
export interface ContentDifference {
  kind: 'missing' | 'unexpected' | 'rows' | 'content' | 'counter' | 'schema';
  /** The table, collection, counter or kind of definition. */
  name: string;
  expected: number | string | null;
  found: number | string | null;
}

export interface ContentComparison {
  differences: ContentDifference[];
  /** Items of which the server let rows expire meanwhile; fewer rows of them are no difference. */
  expired: { name: string; expected: number; found: number }[];
  /** What was compared, for telling: tables or collections, their rows, and whether rows were compared one by one. */
  items: number;
  rows: number;
  hashedItems: number;
  /** `false` when the two descriptions come from servers whose words differ; then only counts were compared. */
  schemaCompared: boolean;
}

/**
 * Compares a restored copy with a manifest, exactly: every item and its rows, content hashes where both sides took them, counters,
 * and the digest of all definitions. Of items whose rows expire by themselves there may be fewer; that is told apart. Pure. Sizes on disk are not compared: a fresh copy has no bloat.
 * @param only names of the items that were restored; then neither counters nor the schema as a whole can be compared
 */
export function compareContent(
  expected: ContentFacts,
  found: ContentFacts,
  only?: readonly string[],
): ContentComparison {
  const wanted =
    only === undefined ? expected.items : expected.items.filter(({ name }) => only.includes(name));
  const foundByName = new Map(found.items.map((item) => [item.name, item]));
  const expired = wanted.flatMap((item) => expiredOf(item, foundByName.get(item.name)));
  const differences = wanted
    .filter((item) => !expired.some(({ name }) => name === item.name))
    .flatMap((item) => compareItem(item, foundByName.get(item.name)));
  const wantedNames = new Set(wanted.map(({ name }) => name));
  for (const item of found.items) {
    if (!wantedNames.has(item.name)) {
      differences.push({ kind: 'unexpected', name: item.name, expected: null, found: item.rows });
    }
  }
  const isWhole = only === undefined;
  const schemaCompared = isWhole && expected.schema.comparableWith === found.schema.comparableWith;
  if (isWhole) differences.push(...compareCounters(expected, found));
  if (schemaCompared) differences.push(...compareSchema(expected, found));
  return {
    differences,
    expired,
    items: wanted.length,
    rows: wanted.reduce((total, { rows }) => total + rows, 0),
    hashedItems: wanted.filter((item) => hasHashes(item, foundByName.get(item.name))).length,
    schemaCompared,
  };
}

/** A sentence for the operator. */
export function describeDifference({ kind, name, expected, found }: ContentDifference): string {
  switch (kind) {
    case 'missing':
      return `${name} is missing; the backup has it with ${expected} rows`;
    case 'unexpected':
      return `${name} was found with ${found} rows, but is not in the backup`;
    case 'rows':
      return `${name} has ${found} rows instead of ${expected}`;
    case 'content':
      return `${name} has as many rows as the backup, but not the same ones`;
    case 'counter':
      return `${name}: ${found ?? 'none'} instead of ${expected ?? 'none'}`;
    case 'schema':
      return name === 'digest'
        ? 'the definitions differ from those in the backup'
        : `the number of ${name} is ${found ?? 0} instead of ${expected ?? 0}`;
  }
}

function expiredOf(expected: ItemFacts, found: ItemFacts | undefined): ContentComparison['expired'] {
  if (expected.expires !== true || found === undefined || found.rows >= expected.rows) return [];
  return [{ name: expected.name, expected: expected.rows, found: found.rows }];
}

function compareItem(expected: ItemFacts, found: ItemFacts | undefined): ContentDifference[] {
  const { name } = expected;
  if (found === undefined) return [{ kind: 'missing', name, expected: expected.rows, found: null }];
  if (found.rows !== expected.rows) {
    return [{ kind: 'rows', name, expected: expected.rows, found: found.rows }];
  }
  if (hasHashes(expected, found) && expected.contentHash !== found.contentHash) {
    return [
      { kind: 'content', name, expected: expected.contentHash ?? null, found: found.contentHash ?? null },
    ];
  }
  return [];
}

/** Hashes can be compared when both sides have one, by the same method (the word before the colon). */
function hasHashes(expected: ItemFacts, found: ItemFacts | undefined): boolean {
  const [one, other] = [expected.contentHash, found?.contentHash];
  return one !== undefined && other !== undefined && one.split(':')[0] === other.split(':')[0];
}

function compareCounters(expected: ContentFacts, found: ContentFacts): ContentDifference[] {
  return differingKeys(expected.counters, found.counters).map((name) => ({
    kind: 'counter',
    name,
    expected: expected.counters[name] ?? null,
    found: found.counters[name] ?? null,
  }));
}

function compareSchema(
  { schema: expected }: ContentFacts,
  { schema: found }: ContentFacts,
): ContentDifference[] {
  if (expected.digest === found.digest) return [];
  const kinds = differingKeys(expected.objects, found.objects).map((name) => ({
    kind: 'schema' as const,
    name,
    expected: expected.objects[name] ?? null,
    found: found.objects[name] ?? null,
  }));
  return [{ kind: 'schema', name: 'digest', expected: expected.digest, found: found.digest }, ...kinds];
}

function differingKeys(one: Record<string, number>, other: Record<string, number>): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => one[name] !== other[name]).toSorted();
}
