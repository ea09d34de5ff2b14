/** One thing that is wrong in the file. */
export interface Fault {
  /** Where, as `databases[1].schedule`; empty: the file as a whole. */
  path: string;
  /** Line of the file, from 1; absent where it has none, as for what is missing. */
  line?: number;
  detail: string;
}

/** A place in the file: keys of maps, and numbers of list items from 0. */
export type FilePath = readonly (string | number)[];

/** `databases[1].options.format`. A key that is no plain word stands in quotes. */
export function pathText(path: FilePath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const word = /^[\w-]+$/.test(step) ? step : JSON.stringify(step);
    return text === '' ? word : `${text}.${word}`;
  }, '');
}

/** For people: `databases[1].schedule: has … (line 12)`. */
export function faultText({ path, line, detail }: Fault): string {
  return `${path === '' ? '' : `${path}: `}${detail}${line === undefined ? '' : ` (line ${line})`}`;
}

/** In the order of the file, as far as lines are known; what has none goes last. Nothing stands twice. */
export function inOrder(faults: readonly Fault[]): Fault[] {
  const byText = new Map(faults.map((fault) => [faultText(fault), fault]));
  const lineOf = ({ line = Infinity }: Fault): number => line;
  return [...byText.values()].sort((a, b) =>
    lineOf(a) === lineOf(b) ? compare(a.path, b.path) : lineOf(a) - lineOf(b),
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
