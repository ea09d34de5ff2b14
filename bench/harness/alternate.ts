import { median } from './figures.ts';

/** One of several ways to do the same. */
export interface Contestant {
  name: string;
  /** Does it once, cleans up after itself outside of the measured time, and gives the seconds. */
  run(): Promise<number>;
}

/** Seconds of each run, by name; the runs of one round stand at the same place. */
export type Laps = ReadonlyMap<string, readonly number[]>;

/**
 * Runs the contestants one after another, round by round, so that whatever slows the machine for a while slows all of them.
 * Each round begins with another one. A first round, which warms caches, is not counted.
 */
export async function alternate(
  contestants: readonly Contestant[],
  runs: number,
  say: (text: string) => void,
): Promise<Laps> {
  const laps = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= runs; round += 1) {
    const taken: string[] = [];
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const contestant = contestants[(round + turn) % contestants.length];
      if (contestant === undefined) continue;
      const lap = await contestant.run();
      taken.push(`${contestant.name} ${lap.toFixed(2)} s`);
      if (round > 0) laps.get(contestant.name)?.push(lap);
    }
    say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${taken.join(', ')}`);
  }
  return laps;
}

/** The median of a contestant's laps. */
export function medianOf(laps: Laps, name: string): number {
  return median(laps.get(name) ?? []);
}

/** How many times as long `name` took as `other`: the median of the rounds' own ratios. */
export function ratioOf(laps: Laps, name: string, other: string): number {
  const others = laps.get(other) ?? [];
  return median((laps.get(name) ?? []).map((lap, round) => lap / (others[round] ?? Number.NaN)));
}
