import { describe, expect, it } from 'vitest';

import { hex64 } from './content-counting.js';

describe('hex64', () => {
  it.each([
    ['0', '0000000000000000'],
    ['-1', 'ffffffffffffffff'],
    ['18446744073709551617', '0000000000000001'],
  ])('of %s', (sum, expected) => {
    expect(hex64(sum)).toBe(expected);
  });
});
