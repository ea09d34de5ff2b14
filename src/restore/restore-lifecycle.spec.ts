import { describe, expect, test } from 'vitest';

import { isActive, mayBeCancelled, mayFollow, predecessorsOf } from './restore-lifecycle.js';
import { RESTORE_STAGES, RESTORE_STATUSES } from './restore-states.js';

describe('the life of a restore', () => {
  test.each(['completed', 'failed', 'cancelled'] as const)('nothing follows %s', (ended) => {
    expect(RESTORE_STATUSES.filter((status) => mayFollow(ended, status))).toEqual([]);
    expect(isActive(ended)).toBe(false);
  });

  test('every state can be reached from an active one, and from no other', () => {
    for (const status of RESTORE_STATUSES) {
      expect(predecessorsOf(status).length).toBeGreaterThan(0);
      expect(predecessorsOf(status).every(isActive)).toBe(true);
    }
  });

  test('only a waiting restore begins to run', () => {
    expect(predecessorsOf('running')).toEqual(['queued']);
  });

  test('it may be cancelled until its database is being given its final name', () => {
    expect(RESTORE_STAGES.filter((stage) => mayBeCancelled('running', stage))).toEqual([
      'nothing',
      'loading',
    ]);
    expect(RESTORE_STAGES.filter((stage) => mayBeCancelled('completed', stage))).toEqual([]);
  });
});
