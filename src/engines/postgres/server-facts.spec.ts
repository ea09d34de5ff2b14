import { expect, test } from 'vitest';

import { supportedMajor } from './server-facts.js';

test.each([
  [140_000, 14],
  [150_018, 15],
  [180_006, 18],
])('a server of version number %i is of major %i', (number, major) => {
  expect(supportedMajor(number)).toBe(major);
});

test.each([90_624, 120_022, 130_023])('a server of version number %i is refused', (number) => {
  expect(() => supportedMajor(number)).toThrow(
    expect.objectContaining({
      code: 'server-too-old',
      retryable: false,
      facts: expect.objectContaining({ oldest_major: 14 }),
    }),
  );
});
