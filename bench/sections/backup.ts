import { join } from 'node:path';

import type { Service } from '../../test/support/service.ts';
import { alternate, type Laps, medianOf, ratioOf } from '../harness/alternate.ts';
import { ask, completed, register } from '../harness/api.ts';
import type { Bench } from '../harness/bench.ts';
import { type BenchServer, sql } from '../harness/bench-server.ts';
import { flushDisks, shell, timedShell } from '../harness/commands.ts';
import { goal, median, megabytes, percent, seconds, times } from '../harness/figures.ts';
import { cpuSeconds, forgetPeak, residentBytes } from '../harness/process-figures.ts';
import type { Section, Table } from '../harness/section.ts';

const SERVICE = 'Backstop, POST /backups until completed';
const PIPE = 'pg_dump -Fc -Z0 | zstd -3';
const GZIP = 'pg_dump -Fc -Z5';
const ZSTD_5 = 'pg_dump -Fc --compress=zstd:5';
const BARE = 'pg_dump -Fc -Z0';

/** What one backup by the service cost. */
interface Cost {
  peakBytes: number;
  cpu: number;
  plainBytes: number;
  storedBytes: number;
}

/** A whole backup by the service, against the same by the standard tools. */
export const backup: Section = {
  name: 'backup',
  about: 'a whole backup against pg_dump: wall time, CPU, memory',
  async run(bench: Bench): Promise<Table[]> {
    const server = await bench.postgres();
    const sample = await bench.sample();
    const service = await bench.service();
    await register(service, server, sample.name);
    const costs: Cost[] = [];
    const contestants = [
      { name: SERVICE, run: () => backUp(service, costs) },
      ...(await toolLines(bench, server, sample.name)),
    ];
    const laps = await alternate(contestants, bench.runs, bench.say);
    const counting = await countingSeconds(bench, server, sample);
    await service.stop();
    const measured = costs.slice(1); // the first one was the warm-up
    return [wallTable(laps), costTable(measured, counting / medianOf(laps, SERVICE))];
  },
};

async function backUp(service: Service, costs: Cost[]): Promise<number> {
  await forgetPeak(service.pid);
  const before = await cpuSeconds(service.pid);
  const { work, seconds } = await completed(service, '/backups', {});
  const after = await cpuSeconds(service.pid);
  const { peak } = await residentBytes(service.pid);
  costs.push({
    peakBytes: peak,
    cpu: after.own - before.own,
    plainBytes: work.plain_bytes,
    storedBytes: work.size_bytes,
  });
  await ask(service, 'DELETE', `/backups/${work.id}?force=true`);
  await flushDisks();
  return seconds;
}

async function toolLines(bench: Bench, server: BenchServer, database: string) {
  const file = join(await bench.folder('tools'), 'dump');
  const lines: readonly (readonly [string, string])[] = [
    [PIPE, `"$PG_DUMP" -Fc -Z0 ${database} | zstd -3 -q > "$FILE"`],
    [GZIP, `"$PG_DUMP" -Fc -Z5 -f "$FILE" ${database}`],
    [ZSTD_5, `"$PG_DUMP" -Fc --compress=zstd:5 -f "$FILE" ${database}`],
    [BARE, `"$PG_DUMP" -Fc -Z0 -f "$FILE" ${database}`],
  ];
  const env = { ...server.env, PG_DUMP: join(server.tools, 'pg_dump'), FILE: file };
  return lines.map(([name, line]) => ({
    name,
    run: async (): Promise<number> => {
      const taken = await timedShell(line, env);
      await shell('rm "$FILE"', env);
      return taken;
    },
  }));
}

/** The statements that count the rows of every table, by themselves, as the service runs them beside the dump. */
async function countingSeconds(
  bench: Bench,
  server: BenchServer,
  sample: { name: string; tables: readonly string[] },
): Promise<number> {
  const statements = sample.tables.map((table) => `SELECT count(*) FROM ONLY ${table}`);
  const laps: number[] = [];
  for (let run = 0; run < bench.runs; run += 1) {
    const began = performance.now();
    await sql(server, sample.name, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', ...statements);
    laps.push((performance.now() - began) / 1000);
  }
  return median(laps);
}

function wallTable(laps: Laps): Table {
  const slower = (name: string): number => ratioOf(laps, name, SERVICE);
  const own = ratioOf(laps, SERVICE, PIPE);
  const row = (name: string, figure: string, aim: string): string[] => [
    name,
    seconds(medianOf(laps, name)),
    figure,
    aim,
  ];
  return {
    title: 'Backup: wall time',
    columns: ['', 'median', 'Backstop', 'goal'],
    rows: [
      row(SERVICE, '', ''),
      row(PIPE, `${times(own)} its time`, goal('≤ 1.05 × (≤ 1.10 × in process)', own <= 1.1)),
      row(GZIP, `${times(slower(GZIP))} faster`, goal('≥ 2.8 ×', slower(GZIP) >= 2.8)),
      row(ZSTD_5, `${times(slower(ZSTD_5))} faster`, goal('≥ 1.4 ×', slower(ZSTD_5) >= 1.4)),
      row(BARE, `${times(ratioOf(laps, SERVICE, BARE))} its time`, ''),
    ],
    notes: [
      'Ratios are medians of the rounds’ own ratios. Backstop also counts every table, digests both sides of the compression,',
      'flushes to the disk and writes a manifest within its time; the others leave their files to the system’s cache.',
    ],
  };
}

function costTable(costs: readonly Cost[], countingShare: number): Table {
  const last = costs.at(-1);
  if (last === undefined) throw new Error('the service made no backup');
  const peak = Math.max(...costs.map(({ peakBytes }) => peakBytes));
  return {
    title: 'Backup: what it costs',
    columns: ['', 'figure', 'goal'],
    rows: [
      ['plain size', megabytes(last.plainBytes), ''],
      ['stored size', megabytes(last.storedBytes), ''],
      ['highest resident memory of the service', megabytes(peak), goal('≤ 160 MB', peak <= 160e6)],
      ['CPU of the service, compression included', seconds(median(costs.map(({ cpu }) => cpu))), ''],
      ['counting, as a share of the wall time', percent(countingShare), goal('≤ 5 %', countingShare <= 0.05)],
    ],
  };
}
