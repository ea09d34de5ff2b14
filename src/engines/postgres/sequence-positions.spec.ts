import { describe, expect, it } from 'vitest';

import { sumOfPositions } from './sequence-positions.js';

describe('sumOfPositions', () => {
  it.each([
    [[], 0],
    [["SELECT pg_catalog.setval('public.s', 42, true);\n"], 43],
    [["SELECT pg_catalog.setval('public.s', 42, false);"], 42],
    [
      [`SELECT pg_catalog.setval('"a''b".s', -5, true);`, "SELECT pg_catalog.setval(E'a\\\\b', 7, false);"],
      3,
    ],
    [["SELECT pg_catalog.setval('x', 9223372036854775807, true);"], 0],
  ])('of %j', (statements, expected) => {
    expect(sumOfPositions(statements)).toBe(expected);
  });
});
