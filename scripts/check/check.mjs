/**
 * `npm run check`: everything that can be said about the code without a server, under two minutes. Each step runs even when
 * an earlier one failed, so that one run shows all there is to mend.
 */
import { spawnSync } from 'node:child_process';

const STEPS = [
  [
    'format',
    'prettier',
    ['--check', '--log-level=warn', 'src', 'test', 'scripts', 'bench', '*.{ts,cjs,json}', '.oxlintrc.json'],
  ],
  ['lint', 'oxlint', ['--type-aware', '--max-warnings=0', 'src', 'test', 'scripts', 'bench']],
  ['forbidden words', 'node', ['scripts/check/forbidden-words.mjs']],
  ['types', 'tsc', ['--noEmit']],
  // Nothing but node itself runs it, which takes types away and rewrites nothing.
  ['bench starts', 'node', ['bench/main.ts', 'list']],
  ['import direction', 'depcruise', ['--output-type', 'err', 'src']],
  ['build', 'nest', ['build']],
  ['openapi.json fresh', 'node', ['dist/openapi.js', '--check']],
  ['pure tests', 'vitest', ['run', '--project', 'unit', '--reporter=dot']],
];

let failed = 0;
for (const [name, command, args] of STEPS) {
  const started = performance.now();
  const run = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ok = run.status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(20)} ${seconds.padStart(6)} s`);
  if (ok) continue;
  failed += 1;
  console.log(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error ? String(run.error) : ''}`.trimEnd());
}
if (failed > 0) {
  console.log(`\n${failed} of ${STEPS.length} checks failed`);
  process.exitCode = 1;
}
