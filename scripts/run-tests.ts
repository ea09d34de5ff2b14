/**
 * Runs tests and ends with one line that a program can read: `N passed, N failed, N skipped`. Before it stands each test that
 * did not run, with the reason, and each that failed: whoever sees only a log's end sees what to mend. Arguments go to vitest
 * (`--project e2e`, a file, …). The exit code is 0 only when every test that could run passed, and there was one. Stops the
 * Docker Engine that the set-up started.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { stopEngine } from './setup/docker-engine.mjs';
import { CACHE } from './setup/paths.mjs';
import { foreground } from './setup/run.mjs';
import { isTestSummary, SUMMARY_VARIABLE, type TestSummary } from './test/summary-reporter.ts';

const summaryFile = join(CACHE, `test-summary-${process.pid}.json`);

// The terminal sends these to vitest as well, which ends its tests and servers; we wait for it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

async function runVitest(): Promise<number> {
  const reporters = ['--reporter=default', '--reporter=./scripts/test/summary-reporter.ts'];
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  return await foreground(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
    env: { [SUMMARY_VARIABLE]: summaryFile },
  });
}

/** A run that left no summary did not get to its end. */
async function readSummary(): Promise<TestSummary | undefined> {
  try {
    const written: unknown = JSON.parse(await readFile(summaryFile, 'utf8'));
    return isTestSummary(written) ? written : undefined;
  } catch {
    return undefined;
  } finally {
    await rm(summaryFile, { force: true });
  }
}

let code = 1;
try {
  code = await runVitest();
} finally {
  await stopEngine();
}
const summary = await readSummary();
if (summary === undefined) {
  console.log('\nThe test run ended before its end.\n\n0 passed, 1 failed, 0 skipped');
  process.exitCode = code === 0 ? 1 : code;
} else {
  const { passed, failed, failures, skipped } = summary;
  if (skipped.length > 0) console.log('\nSkipped:');
  for (const { name, reason } of skipped) console.log(`  ${name}\n    because ${reason}`);
  if (failures.length > 0) console.log('\nFailed:');
  for (const { name, message } of failures)
    console.log(`  ${name}\n    ${message.replaceAll('\n', '\n    ')}`);
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  process.exitCode = code === 0 && (failed > 0 || passed === 0) ? 1 : code;
}
