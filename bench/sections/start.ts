import { setTimeout as wait } from 'node:timers/promises';

import type { Bench } from '../harness/bench.ts';
import { goal, median, megabytes, seconds } from '../harness/figures.ts';
import { residentBytes } from '../harness/process-figures.ts';
import type { Section, Table } from '../harness/section.ts';

const POLL_MS = 5;
/** After the start, until what it needed for that has been given back. */
const SETTLE_MS = 5000;

/** How long the service takes to be ready, and what it holds when it does nothing. */
export const start: Section = {
  name: 'start',
  about: 'from the start of the process to ready, and memory when idle',
  async run(bench: Bench): Promise<Table[]> {
    await bench.postgres(); // or the first start would wait for it
    const fresh: number[] = [];
    const again: number[] = [];
    const idle: number[] = [];
    for (let run = 0; run <= bench.runs; run += 1) {
      const folder = await bench.folder('start');
      const first = await startOnce(bench, folder);
      const second = await startOnce(bench, folder, SETTLE_MS);
      bench.say(
        `${run === 0 ? 'warm-up' : `round ${run}`}: ${seconds(first.ready)}, ${seconds(second.ready)}`,
      );
      if (run === 0) continue;
      fresh.push(first.ready);
      again.push(second.ready);
      idle.push(second.residentBytes);
    }
    const [bootFresh, bootAgain, rest] = [median(fresh), median(again), median(idle)];
    return [
      {
        title: 'Start and rest',
        columns: ['', 'median', 'goal'],
        rows: [
          ['start to ready, all tables to be made', seconds(bootFresh), goal('≤ 2.5 s', bootFresh <= 2.5)],
          ['start to ready, again', seconds(bootAgain), goal('≤ 2.5 s', bootAgain <= 2.5)],
          ['resident memory when idle', megabytes(rest), goal('≤ 140 MB', rest <= 140e6)],
        ],
      },
    ];
  },
};

async function startOnce(
  bench: Bench,
  folder: string,
  settleMs = 0,
): Promise<{ ready: number; residentBytes: number }> {
  const began = performance.now();
  const service = await bench.service(folder);
  while (!(await fetch(`${service.url}/health/ready`)).ok) await wait(POLL_MS);
  const ready = (performance.now() - began) / 1000;
  await wait(settleMs);
  const { now } = await residentBytes(service.pid);
  await service.stop();
  return { ready, residentBytes: now };
}
