import type { WorkKind } from './queue.js';

/** How many of each kind may run at once, in all and in one lane. */
export interface Cap {
  total: number;
  perLane: number;
}
export type Caps = Readonly<Record<WorkKind, Cap>>;

/** A ticket, as far as choosing looks at it. */
export interface Candidate {
  id: string;
  kind: WorkKind;
  lane: string | null;
  exclusiveKey: string | null;
}

/**
 * Chooses the ticket to run next. Pure.
 * @param waiting those that may be claimed, the longest waiting first
 * @param running those with a living lease
 * @returns the first of `waiting` that breaks no cap (Q4, Q5), or undefined
 */
export function chooseNext<T extends Candidate>(
  waiting: readonly T[],
  running: readonly Candidate[],
  caps: Caps,
): T | undefined {
  const kinds = countBy(running, (ticket) => ticket.kind);
  const lanes = countBy(running, laneOf);
  const keys = new Set(running.map((ticket) => ticket.exclusiveKey).filter((key) => key !== null));
  return waiting.find(
    (ticket) =>
      (kinds.get(ticket.kind) ?? 0) < caps[ticket.kind].total &&
      (ticket.lane === null || (lanes.get(laneOf(ticket)) ?? 0) < caps[ticket.kind].perLane) &&
      (ticket.exclusiveKey === null || !keys.has(ticket.exclusiveKey)),
  );
}

/** Lanes of different kinds do not block each other: a restore waits for its safety backup of the same host. */
function laneOf(ticket: Candidate): string {
  return `${ticket.kind} ${ticket.lane ?? ''}`;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
