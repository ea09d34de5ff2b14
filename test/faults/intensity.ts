/**
 * How hard the fault suite tries. `npm test` has minutes; `npm run test:soak` sets BACKSTOP_SOAK and has an hour. This is the
 * only place where a fault test looks at its environment.
 */
export const IS_SOAK = process.env['BACKSTOP_SOAK'] === '1';

/** One of two numbers: for `npm test`, and for the soak. */
export function often(short: number, soak: number): number {
  return IS_SOAK ? soak : short;
}

/** Longest time of one test and of one hook. */
export const FAULT_TIMEOUT_MS = often(180_000, 3_600_000);
