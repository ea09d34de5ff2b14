import { describe, expect, it } from 'vitest';

import { knowsRestrict } from './plain-restore.js';

describe('knowsRestrict', () => {
  it.each([
    ['15.13', false],
    ['15.14', true],
    ['17.5', false],
    ['17.6', true],
    ['18.0', true],
    ['12.22', false],
  ])('psql %s: %s', (version, known) => {
    expect(knowsRestrict(version)).toBe(known);
  });
});
