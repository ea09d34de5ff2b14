import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, the longest first. Without figures of an earlier run Vitest begins with the largest files, and
 * these are small: they came last, and one of them ran alone for minutes in the end.
 */
const LONGEST = [
  'fidelity/many-tables',
  'fidelity/postgres-fidelity',
  'engines/postgres',
  'engines/postgres-owners',
  'engines/postgres-restore',
  'e2e/demo',
  'e2e/restore-trouble',
  'e2e/backup-trouble',
  'e2e/config-file',
  'faults/kill-at-each-point',
  'faults/cancel-in-each-phase',
  'faults/server-outages',
  'faults/kill-at-random',
  'faults/load',
  'faults/stop-in-each-phase',
  'faults/mongo-outages',
  'faults/dishonest-dump-tool',
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
  const rank = LONGEST.findIndex((name) => moduleId.includes(`/test/${name}.`));
  return rank === -1 ? LONGEST.length : rank;
}
