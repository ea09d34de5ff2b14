import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import { FAULT_TIMEOUT_MS } from './test/faults/intensity.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/** Decorators and their metadata are transformed as tsconfig.json says; the reflection shim must be there first. */
const setupFiles = ['reflect-metadata'];

/** What every project with real servers has: they are started once, and a statement may take its time on a busy machine. */
const onServers = {
  setupFiles,
  globalSetup: ['test/support/global-servers.ts'],
  // What a quiet machine does in seconds takes one with noisy neighbours minutes; a limit matters only when a test fails.
  testTimeout: 240_000,
  hookTimeout: 300_000,
  // As long as `until`; Vitest's own is a second.
  expect: { poll: { timeout: 90_000 } },
};

/** Projects run one group after the other, the quick ones first, so that none waits for another's share of the machine. */
export default defineConfig({
  test: {
    // Most of these tests wait: for a server, for a process, for a time limit. Vitest's own number, one less than the cores,
    // leaves two cores idle half of the time.
    maxWorkers: Math.max(3, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.spec.ts'],
          setupFiles,
          // Some try thousands of random cases: seconds of work, more beside others.
          testTimeout: 240_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: ['test/image/**', 'test/faults/**'],
          ...onServers,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          ...onServers,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          ...onServers,
          testTimeout: FAULT_TIMEOUT_MS,
          hookTimeout: FAULT_TIMEOUT_MS,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'image',
          include: ['test/image/**/*.test.ts'],
          // Both files need the image; the first builds it, the second finds its layers.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
