import { describe, expect, test } from 'vitest';

import { compareContent, describeDifference } from './content-comparison.js';
import type { ContentFacts, ItemFacts } from './content-facts.js';

function item(name: string, rows: number, contentHash?: string): ItemFacts {
  return { name, kind: 'table', rows, bytes: rows * 100, ...(contentHash && { contentHash }) };
}

function facts(more: Partial<ContentFacts> = {}): ContentFacts {
  return {
    items: [item('public.a', 1), item('public.b', 20), item('public.empty', 0)],
    counters: { large_objects: 2 },
    schema: { digest: 'd1', comparableWith: 'postgres-17', objects: { tables: 3, views: 1 } },
    ...more,
  };
}

const kindsOf = (found: ContentFacts, only?: string[]): [string, string][] =>
  compareContent(facts(), found, only).differences.map(({ kind, name }) => [kind, name]);

describe('comparing a copy with a manifest', () => {
  test('finds nothing between equal facts, and says what it compared', () => {
    expect(compareContent(facts(), facts())).toEqual({
      differences: [],
      expired: [],
      items: 3,
      rows: 21,
      hashedItems: 0,
      schemaCompared: true,
    });
  });

  test('does not compare sizes on disk', () => {
    const smaller = facts();
    for (const one of smaller.items) one.bytes = 0;
    expect(kindsOf(smaller)).toEqual([]);
  });

  test.each<{ name: string; found: ContentFacts; differences: [string, string][] }>([
    {
      name: 'a missing empty table',
      found: facts({ items: facts().items.slice(0, 2) }),
      differences: [['missing', 'public.empty']],
    },
    {
      name: 'one row less',
      found: facts({ items: [item('public.a', 1), item('public.b', 19), item('public.empty', 0)] }),
      differences: [['rows', 'public.b']],
    },
    {
      name: 'a table too much',
      found: facts({ items: [...facts().items, item('public.c', 5)] }),
      differences: [['unexpected', 'public.c']],
    },
    {
      name: 'a lost large object',
      found: facts({ counters: {} }),
      differences: [['counter', 'large_objects']],
    },
    {
      name: 'another counter',
      found: facts({ counters: { large_objects: 2, other: 0 } }),
      differences: [['counter', 'other']],
    },
    {
      name: 'another schema',
      found: facts({ schema: { digest: 'd2', comparableWith: 'postgres-17', objects: { tables: 3 } } }),
      differences: [
        ['schema', 'digest'],
        ['schema', 'views'],
      ],
    },
  ])('finds $name', ({ found, differences }) => {
    expect(kindsOf(found)).toEqual(differences);
  });

  test('does not compare the schema of servers whose words differ, and says so', () => {
    const other = facts({ schema: { digest: 'd9', comparableWith: 'postgres-18', objects: { tables: 3 } } });
    expect(compareContent(facts(), other)).toMatchObject({ differences: [], schemaCompared: false });
  });

  test('compares hashes that both took by the same method, and only those', () => {
    const mine = facts({ items: [item('public.a', 1, 'v1:aa')] });
    const [same, other, newer] = ['v1:aa', 'v1:bb', 'v2:cc'].map((hash) =>
      facts({ items: [item('public.a', 1, hash)] }),
    ) as [ContentFacts, ContentFacts, ContentFacts];
    expect(compareContent(mine, same)).toMatchObject({ differences: [], hashedItems: 1 });
    expect(compareContent(mine, other).differences).toMatchObject([{ kind: 'content', name: 'public.a' }]);
    expect(compareContent(mine, newer)).toMatchObject({ differences: [], hashedItems: 0 });
  });

  test('compares only the items that were restored', () => {
    const partial = facts({
      items: [item('public.b', 20)],
      counters: {},
      schema: { digest: 'x', comparableWith: 'postgres-17', objects: {} },
    });
    expect(compareContent(facts(), partial, ['public.b'])).toMatchObject({
      differences: [],
      items: 1,
      rows: 20,
    });
    expect(kindsOf(partial, ['public.a', 'public.b'])).toEqual([['missing', 'public.a']]);
    expect(kindsOf(facts(), ['public.b']).map(([kind]) => kind)).toEqual(['unexpected', 'unexpected']);
  });

  test('describes each difference in a sentence', () => {
    const found = facts({ items: [item('public.a', 2), item('public.c', 5)], counters: {} });
    expect(compareContent(facts(), found).differences.map(describeDifference)).toEqual([
      'public.a has 2 rows instead of 1',
      'public.b is missing; the backup has it with 20 rows',
      'public.empty is missing; the backup has it with 0 rows',
      'public.c was found with 5 rows, but is not in the backup',
      'large_objects: none instead of 2',
    ]);
  });
});
