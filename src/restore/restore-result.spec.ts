import { describe, expect, test } from 'vitest';

import { evidenceShownBy } from './restore-result.js';

describe('what a restored copy shows of its backup', () => {
  test.each([
    { name: 'all of it compared', schema: true, expired: 0, shows: 'proven' },
    { name: 'definitions not compared', schema: false, expired: 0, shows: 'restorable' },
    { name: 'rows that expired meanwhile', schema: true, expired: 1, shows: 'restorable' },
  ] as const)('$name: $shows', ({ schema, expired, shows }) => {
    expect(evidenceShownBy({ items: 1, rows: 2, hashes: 0, schema, expired })).toBe(shows);
  });
});
