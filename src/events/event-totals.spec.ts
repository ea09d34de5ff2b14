import { describe, expect, it } from 'vitest';

import { addToTotals } from './event-totals.js';
import { DURATION_BOUNDS } from './event-total.entity.js';

/** The buckets with one in each of these places. */
function bucketsAt(...places: number[]): number[] {
  return DURATION_BOUNDS.map((_, index) => places.filter((place) => place === index).length);
}

describe('adding events to totals', () => {
  it('begins at nothing, and keeps databases and names apart', () => {
    const totals = addToTotals(
      [],
      [
        { name: 'BackupFailed', databaseId: 'a' },
        { name: 'BackupFailed', databaseId: 'b' },
        { name: 'BackupFailed', databaseId: 'b' },
        { name: 'BackupQueued', databaseId: null },
      ],
    );
    expect(totals.map(({ eventName, databaseId, count }) => [eventName, databaseId, count])).toEqual([
      ['BackupFailed', 'a', 1],
      ['BackupFailed', 'b', 2],
      ['BackupQueued', '', 1],
    ]);
  });

  it('gives only what changes, and leaves what it was given as it is', () => {
    const before = [
      {
        eventName: 'BackupCompleted' as const,
        databaseId: 'a',
        count: 4,
        durationMs: 9,
        durationBuckets: [],
      },
      { eventName: 'BackupFailed' as const, databaseId: 'a', count: 7, durationMs: 0, durationBuckets: [] },
    ];
    const [total, ...others] = addToTotals(before, [{ name: 'BackupFailed', databaseId: 'a' }]);
    expect(others).toEqual([]);
    expect(total).toMatchObject({ eventName: 'BackupFailed', count: 8 });
    expect(before[1]).toMatchObject({ count: 7 });
  });

  it('counts an event that tells of several as so many', () => {
    const missed = { name: 'ScheduleRunMissed', databaseId: 'a' } as const;
    const [total] = addToTotals([], [{ ...missed, times: 40 }, missed]);
    expect(total).toMatchObject({ count: 41 });
  });

  it('puts a duration into the first bucket that holds it, its bound included', () => {
    const durations = [0, 500, 501, 1000, 86_400_000];
    const [total] = addToTotals(
      [],
      durations.map((durationMs) => ({ name: 'BackupCompleted', databaseId: 'a', durationMs })),
    );
    expect(total).toMatchObject({ count: 5, durationMs: 86_402_001 });
    expect(total?.durationBuckets).toEqual(bucketsAt(0, 0, 1, 1, DURATION_BOUNDS.length - 1));
  });

  it('counts what is longer than every bound, in no bucket', () => {
    const [total] = addToTotals([], [{ name: 'BackupCompleted', databaseId: 'a', durationMs: 86_400_001 }]);
    expect(total).toMatchObject({ count: 1, durationBuckets: [] });
  });
});
