import type { Bench } from './bench.ts';

/** A table of figures, printed as Markdown. The first column is words, the others are figures. */
export interface Table {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** Sentences below the table: what was compared with what, and what was left out. */
  notes?: readonly string[];
}

/** One subject of the bench. A new one is a file in `sections/` and a line in `sections/all.ts`. */
export interface Section {
  /** Chooses it on the command line. */
  name: string;
  /** What it measures, in a phrase. */
  about: string;
  run(bench: Bench): Promise<Table[]>;
}
