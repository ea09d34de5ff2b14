import { describe, expect, test } from 'vitest';

import type { Manifest } from '../archive/manifest.js';
import { compareWithManifest } from './archive-comparison.js';

/** As much of a manifest as is compared. */
function manifest(rows: Record<string, number>, databaseName = 'shop'): Manifest {
  const items = Object.entries(rows).map(([name, count]) => ({ name, rows: count }));
  return {
    database: { database_name: databaseName },
    parts: [
      { role: 'data', plain: { size_bytes: 10 } },
      { role: 'roles', plain: { size_bytes: 3 } },
    ],
    content: { items },
  } as unknown as Manifest;
}

const whole = { expected: 10, found: 10 };

describe('what an archive lacks of its manifest', () => {
  test.each<{ name: string; rows: Record<string, number>; found: string[]; server?: boolean }>([
    { name: 'everything is there', rows: { 'public.a': 1, 'public.b': 2 }, found: ['public.a', 'public.b'] },
    { name: 'what is empty has no data', rows: { 'public.a': 1, 'public.empty': 0 }, found: ['public.a'] },
    { name: 'there is more', rows: { 'public.a': 1 }, found: ['public.a', 'public.of_an_extension'] },
    { name: 'there is nothing at all', rows: {}, found: [] },
    { name: 'several databases', rows: { 'x.a': 1, 'y.a': 1 }, found: ['x.a', 'y.a'], server: true },
    { name: 'the only database of a server', rows: { 'x.a.b': 1 }, found: ['a.b'], server: true },
  ])('nothing: $name', ({ rows, found, server }) => {
    const described = manifest(rows, server === true ? '' : 'shop');
    expect(compareWithManifest(described, { items: found, plainBytes: 10 })).toBeUndefined();
  });

  test.each<{ rows: Record<string, number>; found: string[]; missing: string[] }>([
    { rows: { 'public.a': 1, 'public.b': 2 }, found: ['public.a'], missing: ['public.b'] },
    { rows: { a: 1, b: 2 }, found: [], missing: ['a', 'b'] },
    // Only the name of a whole server's database may be left out.
    { rows: { 'public.a': 1 }, found: ['a'], missing: ['public.a'] },
  ])('$missing of $rows', ({ rows, found, missing }) => {
    const difference = compareWithManifest(manifest(rows), { items: found, plainBytes: 10 });
    expect(difference).toEqual({ missing, plainBytes: whole });
  });

  test('bytes', () => {
    const difference = compareWithManifest(manifest({ a: 1 }), { items: ['a'], plainBytes: 9 });
    expect(difference).toEqual({ missing: [], plainBytes: { expected: 10, found: 9 } });
  });
});
