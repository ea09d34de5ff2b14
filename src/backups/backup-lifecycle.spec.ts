import { describe, expect, test } from 'vitest';

import { isActive, isSettled, mayFollow, predecessorsOf } from './backup-lifecycle.js';
import { BACKUP_STATUSES } from './backup-states.js';
import { planRetry } from './retry-plan.js';

describe('the life of a backup', () => {
  test('a finished backup never runs again', () => {
    for (const status of ['completed', 'failed', 'cancelled', 'expiring', 'expired'] as const) {
      expect(mayFollow(status, 'running')).toBe(false);
      expect(mayFollow(status, 'queued')).toBe(false);
    }
  });

  test('only a running backup completes', () => {
    expect(predecessorsOf('completed')).toEqual(['running']);
  });

  test('nothing follows expired, and only expiring leads to it', () => {
    expect(BACKUP_STATUSES.filter((status) => mayFollow('expired', status))).toEqual([]);
    expect(predecessorsOf('expired')).toEqual(['expiring']);
  });

  test('every state but the first can be reached', () => {
    for (const status of BACKUP_STATUSES) expect(predecessorsOf(status).length).toBeGreaterThan(0);
  });

  test('each state is active, settled or being removed', () => {
    for (const status of BACKUP_STATUSES) {
      expect(Number(isActive(status)) + Number(isSettled(status)) + Number(status === 'expiring')).toBe(1);
    }
  });
});

describe('trying again', () => {
  const now = new Date('2026-11-21T03:00:00Z');
  const policy = { maxAttempts: 4, backoffMs: 30_000 };

  test.each([
    { attempt: 1, retryable: true, pause: 30_000 },
    { attempt: 2, retryable: true, pause: 60_000 },
    { attempt: 3, retryable: true, pause: 120_000 },
    { attempt: 4, retryable: true, pause: undefined },
    { attempt: 1, retryable: false, pause: undefined },
  ])('attempt $attempt, retryable $retryable: pause $pause', ({ attempt, retryable, pause }) => {
    const plan = planRetry(policy, attempt, retryable, now);
    expect(plan.again ? plan.at.getTime() - now.getTime() : undefined).toBe(pause);
  });

  test('a pause never grows beyond a quarter of an hour', () => {
    const plan = planRetry({ maxAttempts: 100, backoffMs: 30_000 }, 50, true, now);
    expect(plan).toEqual({ again: true, at: new Date('2026-11-21T03:15:00Z') });
  });
});
