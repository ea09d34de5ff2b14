import { isDeepStrictEqual } from 'node:util';

/** One family of Prometheus's text format (version 0.0.4). */
export interface Family {
  type: string;
  help: string;
  samples: Sample[];
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = `([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*,?)?\\})? ([^ ]+)(?: (-?\\d+))?$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`);
const SUFFIXES = /_(bucket|sum|count)$/;

/**
 * Reads a scrape as Prometheus does, and is stricter: every line has to be one that the format knows, every sample belongs to the
 * family declared last, no series stands twice, and a histogram's buckets rise to its count.
 * @throws with the first line that breaks a rule
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let current: { name: string; family: Family } | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = COMMENT.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`the family ${name} stands twice`);
      current = { name, family: { type: 'untyped', help: rest, samples: [] } };
      families.set(name, current.family);
    } else if (keyword === 'TYPE') {
      if (current?.name !== name) throw new Error(`TYPE without HELP before it: ${line}`);
      current.family.type = rest;
    } else {
      const sample = parseSample(line);
      const family = current?.family.type === 'histogram' ? sample.name.replace(SUFFIXES, '') : sample.name;
      if (current?.name !== family) throw new Error(`a sample outside of its family: ${line}`);
      const key = line.slice(0, line.lastIndexOf(' '));
      if (series.has(key)) throw new Error(`a series stands twice: ${key}`);
      series.add(key);
      current.family.samples.push(sample);
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family);
  return families;
}

function parseSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (!match) throw new Error(`no line of the format: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of (match[2] ?? '').matchAll(new RegExp(LABEL, 'g'))) {
    labels[name] = value.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return { name: match[1] ?? '', labels, value: toNumber(match[7] ?? '') };
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  // Go's reader does not mind the case, and prom-client writes `Nan`.
  if (/^nan$/i.test(text)) return Number.NaN;
  const number = Number(text);
  if (text === '' || Number.isNaN(number)) throw new Error(`no number: ${text}`);
  return number;
}

/** Each set of labels is a histogram of its own. */
function checkHistogram(name: string, { samples }: Family): void {
  const others = ({ labels }: Sample): string =>
    JSON.stringify(Object.entries(labels).filter(([label]) => label !== 'le'));
  for (const labels of new Set(samples.map(others))) {
    const mine = samples.filter((sample) => others(sample) === labels);
    const buckets = mine.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map((bucket) => toNumber(bucket.labels['le'] ?? ''));
    const counts = buckets.map(({ value }) => value);
    const count = mine.find((sample) => sample.name === `${name}_count`)?.value;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name} has no bucket +Inf`);
    if (!isRising(bounds) || !isRising(counts) || counts.at(-1) !== count)
      throw new Error(`the buckets of ${name} do not rise to its count`);
  }
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));
}

/** The value of a series; undefined when there is none. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  for (const family of families.values()) {
    for (const sample of family.samples) {
      if (sample.name !== name) continue;
      if (isDeepStrictEqual(sample.labels, labels)) return sample.value;
    }
  }
  return undefined;
}
