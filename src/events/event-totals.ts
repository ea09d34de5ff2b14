import type { RecordedEvent } from './recorded-event.entity.js';
import { DURATION_BOUNDS, type EventTotal, NO_DATABASE } from './event-total.entity.js';

/** An event as far as it is counted. */
export type Counted = Pick<RecordedEvent, 'name' | 'databaseId'> & {
  durationMs?: number | undefined;
  /** How often it has happened, when one event tells of several times; else once. */
  times?: number | undefined;
};

/** The totals after these events: those of `before` that change, and new ones. */
export function addToTotals(before: readonly EventTotal[], events: readonly Counted[]): EventTotal[] {
  const totals = new Map(before.map((total) => [keyOf(total.eventName, total.databaseId), total]));
  const changed = new Map<string, EventTotal>();
  for (const { name, databaseId, durationMs, times = 1 } of events) {
    const key = keyOf(name, databaseId ?? NO_DATABASE);
    const total = changed.get(key) ?? Object.assign(blank(name, databaseId), totals.get(key));
    total.count += times;
    if (durationMs !== undefined) addDuration(total, durationMs);
    changed.set(key, total);
  }
  return [...changed.values()];
}

function addDuration(total: EventTotal, durationMs: number): void {
  total.durationMs += Math.round(durationMs);
  const index = DURATION_BOUNDS.findIndex((bound) => durationMs <= bound * 1000);
  // What takes longer than every bound is in the count alone.
  if (index !== -1) {
    total.durationBuckets = DURATION_BOUNDS.map(
      (_, at) => (total.durationBuckets[at] ?? 0) + (at === index ? 1 : 0),
    );
  }
}

function blank(eventName: EventTotal['eventName'], databaseId: string | null): EventTotal {
  return { eventName, databaseId: databaseId ?? NO_DATABASE, count: 0, durationMs: 0, durationBuckets: [] };
}

function keyOf(name: string, databaseId: string): string {
  return `${name} ${databaseId}`;
}
