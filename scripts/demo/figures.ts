/** Figures as people read them. Each is short and of one shape, so that columns of them stand in line. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** As `96.4 MB`; units are powers of 1000, as disks and networks are sold. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** As `619,741`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** As `1 table`, `23 tables`, `2 indexes`, `3 policies`. */
export function counted(value: number, word: string): string {
  if (value === 1) return `1 ${word}`;
  return `${count(value)} ${word.replace(/y$/, 'ie').replace(/x$/, 'xe')}s`;
}

/** Of a manifest's words: `index` of `indexes`, `policy` of `policies`. */
export function singular(plural: string): string {
  return plural.replace(/ies$/, 'y').replace(/(?<=x)es$|s$/, '');
}

/** As `0.07 s`, `12.3 s`, `3 min 05 s`. */
export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(2)} s`;
  if (value < 100) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} min ${String(Math.floor(value % 60)).padStart(2, '0')} s`;
}

/** As `41.2 MB/s`. Time below a millisecond is not believed. */
export function rate(byteCount: number, inSeconds: number): string {
  return `${bytes(byteCount / Math.max(inSeconds, 0.001))}/s`;
}

/** As `3.4 : 1`. */
export function ratio(plainBytes: number, storedBytes: number): string {
  return `${(plainBytes / Math.max(storedBytes, 1)).toFixed(1)} : 1`;
}
