/**
 * `npm run bench`: measures the built service against the standard tools, side by side in one run, and prints tables. Words
 * after it choose: names of sections, `big` for ten times the data, `runs=7`, `list`. See README.md beside this file.
 */
import { cpus, totalmem } from 'node:os';

import { Bench } from './harness/bench.ts';
import { toMarkdown } from './harness/markdown.ts';
import { SECTIONS } from './sections/all.ts';

const LEAST_RUNS = 5;

const words = process.argv.slice(2);
const names = SECTIONS.map(({ name }) => name);
const runsWord = words.find((word) => word.startsWith('runs='));
const chosen = words.filter((word) => word !== 'big' && word !== 'list' && word !== runsWord);
const unknown = chosen.filter((word) => !names.includes(word));

if (words.includes('list')) {
  for (const { name, about } of SECTIONS) console.log(`${name.padEnd(10)} ${about}`);
} else if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(', ')}; there are ${names.join(', ')}.`);
  process.exitCode = 2;
} else {
  await measure();
}

async function measure(): Promise<void> {
  const runs = Math.max(1, Number(runsWord?.slice('runs='.length) ?? LEAST_RUNS));
  await using bench = new Bench({
    runs,
    scale: words.includes('big') ? 10 : 1,
    say: (text) => console.error(`  ${text}`),
  });
  const tables: string[] = [];
  for (const section of SECTIONS) {
    if (chosen.length > 0 && !chosen.includes(section.name)) continue;
    console.error(`${section.name}: ${section.about}`);
    for (const table of await section.run(bench)) tables.push(toMarkdown(table));
  }
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  console.log(
    `\n${cpus().length} × ${cpu?.model ?? 'CPU'}, ${memory} GiB, Node ${process.version}, ${runs} runs, ${day}\n`,
  );
  console.log(tables.join('\n'));
}
