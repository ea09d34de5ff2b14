/** The middle of some figures, of which there must be one. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error('nothing was measured');
  return (upper + lower) / 2;
}

/** As `9.42 s`. */
export function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

/** As `12.3 ms`. */
export function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** As `158 MB`; a MB has 10^6 bytes, as for disks. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** As `1.08 ×`. */
export function times(value: number): string {
  return `${value.toFixed(2)} ×`;
}

/** As `2.4 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** A goal and whether it is met, as `≤ 160 MB ✓` or `≤ 160 MB ✗`. */
export function goal(text: string, isMet: boolean): string {
  return `${text} ${isMet ? '✓' : '✗'}`;
}
