import { describe, expect, it } from 'vitest';

import { listElements } from './database-swap.js';

describe('listElements', () => {
  it.each([
    ['"$user", public', ['$user', 'public']],
    ['"a ""b"", c"', ['a "b", c']],
    ['', ['']],
  ])('of %s', (value, elements) => {
    expect(listElements(value)).toEqual(elements);
  });
});
