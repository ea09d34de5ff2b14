import { describe, expect, test } from 'vitest';

import type { ContentFacts } from '../engines/content-facts.js';
import { compareCopy } from './copy-comparison.js';

const facts: ContentFacts = {
  items: [
    { name: 'public.customers', kind: 'table', rows: 3, bytes: 8192, contentHash: 'pg-hash-v1:aa' },
    { name: 'public.orders', kind: 'table', rows: 5, bytes: 8192 },
  ],
  counters: { large_objects: 1 },
  schema: { digest: 'd1', comparableWith: 'postgres-17', objects: { tables: 2 } },
};

describe('comparing a copy with its manifest', () => {
  test('an equal one is told by figures', () => {
    const { compared, notes } = compareCopy(facts, structuredClone(facts), null);
    expect(compared).toEqual({ items: 2, rows: 8, hashes: 1, schema: true, expired: 0 });
    expect(notes).toEqual([]);
  });

  test('rows that expire by themselves may be fewer, which is said; more, other or no rows at all are differences', () => {
    const session = { name: 'sessions', kind: 'collection', rows: 40, bytes: 1, expires: true } as const;
    const backup: ContentFacts = { ...facts, items: [session] };
    const copyWith = (rows: number, contentHash?: string): ContentFacts => ({
      ...facts,
      items: [{ name: 'sessions', kind: 'collection', rows, bytes: 1, ...(contentHash && { contentHash }) }],
    });
    const { compared, notes } = compareCopy(backup, copyWith(3), null);
    expect(compared).toMatchObject({ items: 1, expired: 37 });
    expect(notes.join()).toMatch(/sessions has 3 of 40 rows/);
    expect(compareCopy(backup, copyWith(40), null)).toMatchObject({ compared: { expired: 0 }, notes: [] });
    expect(() => compareCopy(backup, copyWith(41), null)).toThrow(/41 rows instead of 40/);
    expect(() => compareCopy(backup, { ...facts, items: [] }, null)).toThrow(/missing/);
    const hashed: ContentFacts = { ...facts, items: [{ ...session, contentHash: 'h:1' }] };
    expect(() => compareCopy(hashed, copyWith(40, 'h:2'), null)).toThrow(/not the same ones/);
    const lasting: ContentFacts = { ...facts, items: [{ ...session, expires: undefined }] };
    expect(() => compareCopy(lasting, copyWith(39), null)).toThrow(/39 rows instead of 40/);
  });

  test('what could not be compared is said', () => {
    const newer = { ...facts, schema: { ...facts.schema, digest: 'd2', comparableWith: 'postgres-18' } };
    const { compared, notes } = compareCopy(facts, newer, null);
    expect(compared.schema).toBe(false);
    expect(notes.join()).toMatch(/postgres-17 and postgres-18/);
  });

  test('definitions that changed while they were dumped are no difference, and that is said', () => {
    const unsettled = {
      ...facts,
      schema: { ...facts.schema, digest: 'd2', comparableWith: 'unsettled' },
    };
    const { compared, notes } = compareCopy(unsettled, facts, null);
    expect(compared.schema).toBe(false);
    expect(notes.join()).toMatch(/changed some while the dump was reading them/);
  });

  test('single tables are compared alone', () => {
    const [customers] = facts.items;
    const found = { ...facts, items: customers ? [customers] : [], counters: {} };
    expect(compareCopy(facts, found, ['public.customers']).compared).toMatchObject({ items: 1, rows: 3 });
  });

  test('a table that came along without its rows is no difference, one with some of them is', () => {
    const withRows = (rows: number): ContentFacts => ({
      ...facts,
      items: facts.items.map((item) => (item.name === 'public.orders' ? { ...item, rows } : item)),
    });
    const only = ['public.customers'];
    expect(compareCopy(facts, withRows(0), only).compared).toMatchObject({ items: 1, rows: 3 });
    expect(() => compareCopy(facts, withRows(1), only)).toThrow(/public\.orders has 1 rows instead of 5/);
    expect(() => compareCopy(facts, { ...facts, items: [] }, only)).toThrow(/public\.customers is missing/);
  });

  test('a single row too few is refused, with the table and both numbers', () => {
    const found = structuredClone(facts);
    if (found.items[1]) found.items[1].rows = 4;
    expect(() => compareCopy(facts, found, null)).toThrow(
      expect.objectContaining({
        code: 'restore-differs',
        facts: {
          differences: [{ kind: 'rows', name: 'public.orders', expected: 5, found: 4 }],
          differences_total: 1,
        },
      }),
    );
  });
});
