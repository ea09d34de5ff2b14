/**
 * How hard the fault suite tries. `npm test` has minutes; `npm run test:soak` sets BACKSTOP_SOAK and has hours. This is the
 * only place where a fault test looks at its environment.
 */
export const IS_SOAK = process.env['BACKSTOP_SOAK'] === '1';

/** One of two numbers: for `npm test`, and for the soak. */
export function often(short: number, soak: number): number {
  return IS_SOAK ? soak : short;
}

/** Longest time of one test and of one hook. */
export const FAULT_TIMEOUT_MS = often(1_200_000, 3_600_000);

/**
 * Until something has happened that is promised within five seconds. On a machine with noisy neighbours all takes several times
 * as long; what would end it without the promise (a silent connection, a lease) takes minutes.
 */
export const PROMPT_MS = 40_000;

/** Where random numbers of the suite begin; said when a test fails, so that it can be repeated with BACKSTOP_SEED. */
export const SEED = Number(process.env['BACKSTOP_SEED'] ?? Math.floor(Math.random() * 1e9));

/** Whole numbers from 0 to `below`, without it; the same row of them for the same `SEED` and `salt` (mulberry32). */
export function randoms(salt: number): (below: number) => number {
  let state = SEED + salt;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
