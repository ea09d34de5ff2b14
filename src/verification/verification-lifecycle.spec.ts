import { describe, expect, test } from 'vitest';

import { isActive, mayFollow, predecessorsOf } from './verification-lifecycle.js';
import { VERIFICATION_STATUSES } from './verification-states.js';

describe('the life of a verification', () => {
  test.each(['completed', 'failed', 'cancelled'] as const)('nothing follows %s', (ended) => {
    expect(VERIFICATION_STATUSES.filter((status) => mayFollow(ended, status))).toEqual([]);
    expect(isActive(ended)).toBe(false);
  });

  test.each([
    ['queued', ['running']],
    ['running', ['queued']],
    ['completed', ['running']],
    ['failed', ['running']],
    ['cancelled', ['queued', 'running']],
  ] as const)('%s follows %j alone', (status, before) => {
    expect(predecessorsOf(status)).toEqual(before);
  });
});
