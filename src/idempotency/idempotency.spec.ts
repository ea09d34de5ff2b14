import { expect, test } from 'vitest';

import { isRemembered } from './idempotency.js';

const made = new Date('2026-11-21T03:00:00.000Z');

test.each([
  ['2026-11-21T03:00:01.000Z', true],
  ['2026-11-22T02:59:59.999Z', true],
  ['2026-11-22T03:00:00.000Z', false],
  ['2027-11-21T03:00:00.000Z', false],
  ['2026-11-21T02:00:00.000Z', true], // the clock was set back
])('a key from 03:00 is looked at on %s: remembered %s', (now, remembered) => {
  expect(isRemembered(made, new Date(now))).toBe(remembered);
});
