import type { KnownBackup } from './retention-history.js';
import { type PlannedBackup, planRetention } from './retention-planner.js';
import type { Rules } from './retention-plans.js';

const DAY_MS = 86_400_000;
/** So many of the newest backups tell how large the next ones will be. */
const SAMPLE = 5;

/** What is there at the end of a day. */
export interface SimulatedDay {
  at: Date;
  backups: number;
  bytes: number;
}

/** A backup that is expected: when, and of which schedule. */
export interface ExpectedBackup {
  at: number;
  scheduleId: string;
}

/**
 * Plays the next days: every expected backup is made, all of them good, as large as the newest ones on average, and what the rules let
 * go is gone. A database whose backups fail now is taken to be mended by the first one.
 */
export function simulateRetention(
  rules: Rules,
  history: readonly KnownBackup[],
  expected: readonly ExpectedBackup[],
  now: Date,
  days: number,
): SimulatedDay[] {
  const sizes = new Map(history.map(({ id, sizeBytes }) => [id, sizeBytes]));
  const bytesEach = expectedBytes(history);
  let backups: PlannedBackup[] = [...history];
  const simulated: SimulatedDay[] = [];
  let next = 0;
  for (let day = 1; day <= days; day += 1) {
    const at = new Date(now.getTime() + day * DAY_MS);
    for (; (expected[next]?.at ?? Infinity) <= at.getTime(); next += 1) {
      const { at: takenAt = 0, scheduleId = '' } = expected[next] ?? {};
      const id = `expected-${next}`;
      sizes.set(id, bytesEach);
      const good = { status: 'completed', locked: false, evidenceLevel: 0, isGood: true } as const;
      backups.push({ id, takenAt, endedAt: takenAt, scheduleId, ...good });
    }
    const plan = planRetention(rules.policy, backups, at, rules.zone, rules.ofSchedules);
    const kept = new Set(plan.filter(({ keep }) => keep).map(({ id }) => id));
    backups = backups.filter(({ id, status }) => status === 'failed' || kept.has(id));
    const bytes = [...kept].reduce((total, id) => total + (sizes.get(id) ?? 0), 0);
    simulated.push({ at, backups: kept.size, bytes });
  }
  return simulated;
}

function expectedBytes(history: readonly KnownBackup[]): number {
  const newest = history
    .filter(({ status, isGood }) => status === 'completed' && isGood)
    .toSorted((a, b) => b.takenAt - a.takenAt)
    .slice(0, SAMPLE);
  if (newest.length === 0) return 0;
  return Math.round(newest.reduce((total, { sizeBytes }) => total + sizeBytes, 0) / newest.length);
}
