import { join } from 'node:path';

import autocannon from 'autocannon';

import { register } from '../harness/api.ts';
import type { Bench } from '../harness/bench.ts';
import { goal, median, milliseconds } from '../harness/figures.ts';
import { fillBackups } from '../harness/sample-catalog.ts';
import type { Section, Table } from '../harness/section.ts';

const ROWS = 100_000;
const CLIENTS = 50;
const SECONDS = 5;

/** Reading of a long history, by many at once and by one. */
export const lists: Section = {
  name: 'lists',
  about: `lists and statistics of ${ROWS} backups`,
  async run(bench: Bench): Promise<Table[]> {
    const server = await bench.postgres();
    const folder = await bench.folder('lists');
    const before = await bench.service(folder);
    const databaseId = await register(before, server, 'postgres');
    await before.stop();
    fillBackups(join(folder, 'data', 'backup.db'), ROWS, databaseId);
    const service = await bench.service(folder);
    const rows: string[][] = [];
    for (const [path, clients, limitMs] of [
      ['/backups?limit=50', CLIENTS, 15],
      ['/backups?limit=50', 1, undefined],
      ['/backups/stats', 1, undefined],
      ['/health/live', CLIENTS, undefined],
    ] as const) {
      const figures = await load(bench, `${service.url}${path}`, clients);
      const aim = limitMs === undefined ? '' : goal(`p99 ≤ ${limitMs} ms`, figures.p99 <= limitMs);
      const clientsWord = clients === 1 ? '1 client' : `${clients} clients`;
      rows.push([
        `GET ${path}, ${clientsWord}`,
        milliseconds(figures.p50),
        milliseconds(figures.p99),
        figures.rate.toFixed(0),
        aim,
      ]);
    }
    await service.stop();
    return [
      {
        title: `Reading of ${ROWS.toLocaleString('en-US')} backups`,
        columns: ['', 'p50', 'p99', 'requests a second', 'goal'],
        rows,
        notes: [
          'A client sends its next request when the answer to the last one is there, so with 50 of them the time of an answer is',
          'fifty times what one request costs. `/health/live`, which does nothing, shows the share of HTTP itself.',
        ],
      },
    ];
  },
};

async function load(
  bench: Bench,
  url: string,
  connections: number,
): Promise<{ p50: number; p99: number; rate: number }> {
  const rounds = [];
  for (let run = 0; run <= bench.runs; run += 1) {
    const result = await autocannon({ url, connections, duration: SECONDS });
    if (result.non2xx > 0 || result.errors > 0) {
      throw new Error(`${url}: ${result.non2xx} bad answers, ${result.errors} errors`);
    }
    if (run > 0) rounds.push(result);
  }
  const figures = {
    p50: median(rounds.map(({ latency }) => latency.p50)),
    p99: median(rounds.map(({ latency }) => latency.p99)),
    rate: median(rounds.map(({ requests }) => requests.average)),
  };
  bench.say(`${url}, ${connections} at once: p99 ${figures.p99} ms, ${figures.rate.toFixed(0)} a second`);
  return figures;
}
