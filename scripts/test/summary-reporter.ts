import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What a run came to, as `run-tests.ts` reads it. */
export interface TestSummary {
  passed: number;
  failed: number;
  skipped: SkippedTest[];
}

export interface SkippedTest {
  name: string;
  reason: string;
}

export function isTestSummary(value: unknown): value is TestSummary {
  return (
    typeof value === 'object' &&
    value !== null &&
    'passed' in value &&
    'failed' in value &&
    'skipped' in value
  );
}

/** Where the summary is written; the variable is set by `run-tests.ts`. */
export const SUMMARY_VARIABLE = 'BACKSTOP_TEST_SUMMARY';

/**
 * Counts tests, and collects each that did not run with the reason that it gave (`context.skip(reason)`). A file that could
 * not be loaded and an error outside every test count as a failed test each: they must never look like nothing.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const summary: TestSummary = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      summary.failed += module.errors().length;
      for (const test of module.children.allTests()) count(test, summary);
      for (const suite of module.children.allSuites()) summary.failed += suite.errors().length;
    }
    for (const sentence of globalThis.backstopTestServers?.missing ?? []) {
      summary.skipped.push({ name: 'tests on a server or with a tool that is not here', reason: sentence });
    }
    const file = process.env[SUMMARY_VARIABLE];
    if (file === undefined || file === '') return;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(summary));
  }
}

/** A failed hook of a suite leaves its tests skipped without a word. */
function reasonAround(test: TestCase): string {
  for (let around = test.parent; around.type === 'suite'; around = around.parent) {
    if (around.errors().length > 0) return 'the set-up of its suite failed';
  }
  return 'it gives no reason';
}

function count(test: TestCase, summary: TestSummary): void {
  const result = test.result();
  if (result.state === 'passed') summary.passed += 1;
  else if (result.state === 'failed') summary.failed += 1;
  else if (result.state === 'skipped') {
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    summary.skipped.push({ name, reason: result.note ?? reasonAround(test) });
  } else {
    // Collected and never finished, as when a worker process dies.
    summary.failed += 1;
  }
}
