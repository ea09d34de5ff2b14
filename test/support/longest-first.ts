import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, the longest first. Without figures of an earlier run Vitest begins with the largest files, and
 * these are small: they came last, and one of them ran alone for minutes in the end.
 */
const LONGEST = [
  'faults/kill-at-each-point',
  'faults/dishonest-dump-tool',
  'faults/kill-at-random',
  'faults/stop-in-each-phase',
  'faults/load',
  'faults/server-outages',
  'faults/lost-lease',
];

/** Vitest's own order, but that within each project the longest files come first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    const placeOf = (file: TestSpecification): number => projects.indexOf(file.project);
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b) || rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return rank === -1 ? LONGEST.length : rank;
}
