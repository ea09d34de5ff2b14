import { describe, expect, test } from 'vitest';

import type { ArchivePrelude, CollectionEntry } from './archive/archive.js';
import { outcomeOf, planLoad } from './archive-plan.js';

function entry(database: string, collection: string, type = 'collection'): CollectionEntry {
  const metadata = JSON.stringify({ indexes: [], collectionName: collection, type });
  return { database, collection, metadata, size: 0, type };
}

function prelude(...entries: CollectionEntry[]): ArchivePrelude {
  const header = { concurrentCollections: 1, formatVersion: '0.1', serverVersion: '8.0.0', toolVersion: 'x' };
  return { header, entries };
}

const shop = prelude(
  entry('shop', 'v', 'view'),
  entry('shop', 'a'),
  entry('shop', 'shop.a'),
  entry('shop', 't', 'timeseries'),
  entry('shop', '$admin.system.users'),
);
const server = prelude(entry('x', 'a'), entry('y', 'a'), entry('y', 'b'), entry('', 'oplog'));

describe('what of an archive is loaded', () => {
  test('everything of one database, views last, users not, buckets where they are', () => {
    const plan = planLoad(shop);
    expect(plan.collections.map((one) => [one.entry.collection, one.kind])).toEqual([
      ['a', 'collection'],
      ['shop.a', 'collection'],
      ['t', 'time-series'],
      ['v', 'view'],
    ]);
    expect([...plan.namespaces]).toContain('shop.system.buckets.t');
    expect(plan.notes.join()).toContain('users and roles');
  });

  test('chosen collections, by their names or full names', () => {
    const names = (items: string[]): string[] =>
      planLoad(shop, items).collections.map((one) => one.entry.collection);
    expect(names(['a'])).toEqual(['a']);
    expect(names(['shop.shop.a'])).toEqual(['shop.a']);
    expect(() => names(['b'])).toThrow(expect.objectContaining({ code: 'tables-unknown' }));
  });

  test('one database of several, by full names alone', () => {
    const plan = planLoad(server, ['y.a', 'y.b']);
    expect(plan.database).toBe('y');
    expect(outcomeOf(plan, ['y.a']).itemNames).toEqual({ 'y.a': 'a', 'y.b': 'b' });
    expect(plan.notes.join()).toContain('oplog');
    for (const items of [undefined, ['x.a', 'y.a']]) {
      expect(() => planLoad(server, items)).toThrow(expect.objectContaining({ code: 'several-databases' }));
    }
    expect(() => planLoad(server, ['a'])).toThrow(expect.objectContaining({ code: 'tables-unknown' }));
  });

  test('nothing of an archive of nothing', () => {
    expect(planLoad(prelude())).toMatchObject({ database: undefined, collections: [] });
  });
});
