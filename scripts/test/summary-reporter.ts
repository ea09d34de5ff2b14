import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What a run came to, as `run-tests.ts` reads it. */
export interface TestSummary {
  passed: number;
  failed: number;
  /** What `failed` counts, one by one. */
  failures: FailedTest[];
  skipped: SkippedTest[];
}

export interface FailedTest {
  name: string;
  /** The first lines of its first error. */
  message: string;
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
    'failures' in value &&
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
    const summary: TestSummary = { passed: 0, failed: 0, failures: [], skipped: [] };
    for (const error of unhandledErrors) fail(summary, 'an error outside every test', [error]);
    for (const module of modules) {
      const file = module.relativeModuleId;
      for (const error of module.errors()) fail(summary, file, [error]);
      for (const test of module.children.allTests()) count(test, summary);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) fail(summary, `${file} > ${suite.fullName}`, [error]);
      }
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

/** Enough to know an error again; all of it stands where the test ran. */
const MESSAGE_LINES = 3;

function fail(summary: TestSummary, name: string, errors: readonly SerializedError[]): void {
  summary.failed += 1;
  const message = errors[0]?.message.split('\n').slice(0, MESSAGE_LINES).join('\n') ?? 'it never finished';
  summary.failures.push({ name, message });
}

function count(test: TestCase, summary: TestSummary): void {
  const name = `${test.module.relativeModuleId} > ${test.fullName}`;
  const result = test.result();
  if (result.state === 'passed') summary.passed += 1;
  else if (result.state === 'failed') fail(summary, name, result.errors);
  else if (result.state === 'skipped')
    summary.skipped.push({ name, reason: result.note ?? reasonAround(test) });
  // Collected and never finished, as when a worker process dies.
  else fail(summary, name, []);
}
