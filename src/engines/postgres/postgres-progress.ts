import type { EngineProgress } from '../engine.js';

/**
 * The table that a line of `--verbose` speaks of, when it marks the start of that table's data; otherwise `undefined`.
 * Lines of pg_dump 12–18: `pg_dump: dumping contents of table "public.orders"`; of pg_restore:
 * `pg_restore: processing data for table "public.orders"`, with several jobs also `… launching item 3500 TABLE DATA orders`.
 */
export function tableOfLine(line: string): string | undefined {
  return /^pg_(?:dump|restore): (?:dumping contents of|processing data for) table "(.*)"$/.exec(line)?.[1];
}

/** How far a dump is, by the sizes that its tables have on the server: one table may hold half of all bytes. */
export class DumpProgress {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #totalBytes: number;
  #begun = 0;
  #doneBytes = 0;
  #currentBytes = 0;

  constructor(tables: readonly { fullName: string; bytes: number }[]) {
    this.#sizes = new Map(tables.map(({ fullName, bytes }) => [fullName, bytes]));
    this.#totalBytes = tables.reduce((total, { bytes }) => total + bytes, 0);
  }

  /** The tool says that a table begins, and thereby that the one before is done. */
  begin(item: string): EngineProgress {
    this.#doneBytes += this.#currentBytes;
    this.#currentBytes = this.#sizes.get(item) ?? 0;
    const itemsTotal = this.#sizes.size;
    const itemsDone = Math.min(this.#begun, itemsTotal);
    this.#begun += 1;
    const share = this.#totalBytes === 0 ? {} : { share: this.#doneBytes / this.#totalBytes };
    return { item, itemsDone, itemsTotal, ...share };
  }
}
