import { join } from 'node:path';

import type { Service } from '../../test/support/service.ts';
import { alternate, medianOf, ratioOf } from '../harness/alternate.ts';
import { completed, register } from '../harness/api.ts';
import type { Bench } from '../harness/bench.ts';
import { type BenchServer, sql } from '../harness/bench-server.ts';
import { flushDisks, shell, timedShell } from '../harness/commands.ts';
import { goal, megabytes, seconds, times } from '../harness/figures.ts';
import { forgetPeak, residentBytes } from '../harness/process-figures.ts';
import type { Section, Table } from '../harness/section.ts';

const JOBS = [1, 2] as const;
const TARGET = 'bench_restored';

/** A whole restore by the service, comparing included, against `pg_restore` with as many workers. */
export const restore: Section = {
  name: 'restore',
  about: 'a whole restore against pg_restore with the same --jobs',
  async run(bench: Bench): Promise<Table[]> {
    const server = await bench.postgres();
    const sample = await bench.sample();
    const service = await bench.service();
    await register(service, server, sample.name);
    const { work: backup } = await completed(service, '/backups', {});
    const tool = await toolLine(bench, server, sample.name);
    const peaks: number[] = [];
    const rows: string[][] = [];
    for (const jobs of JOBS) {
      const [own, other] = [`Backstop, jobs ${jobs}`, `pg_restore --jobs=${jobs}`];
      const contestants = [
        { name: own, run: () => bringBack(service, server, backup.id, jobs, peaks) },
        { name: other, run: () => tool(jobs) },
      ];
      const laps = await alternate(contestants, bench.runs, bench.say);
      const ratio = ratioOf(laps, own, other);
      rows.push([`${own}, POST …/restore until completed`, seconds(medianOf(laps, own)), '', '']);
      rows.push([
        other,
        seconds(medianOf(laps, other)),
        `${times(ratio)} its time`,
        goal('≤ 1.10 ×', ratio <= 1.1),
      ]);
    }
    await service.stop();
    const peak = Math.max(...peaks);
    return [
      {
        title: 'Restore: wall time',
        columns: ['', 'median', 'Backstop', 'goal'],
        rows: [
          ...rows,
          ['highest resident memory of the service', megabytes(peak), '', goal('≤ 160 MB', peak <= 160e6)],
        ],
        notes: [
          '`pg_restore` reads what `pg_dump -Fc --compress=zstd:3` wrote. Within its time Backstop also checks the digest of the whole',
          'archive before it touches anything, and afterwards compares what was loaded with the manifest.',
        ],
      },
    ];
  },
};

async function bringBack(
  service: Service,
  server: BenchServer,
  backupId: string,
  jobs: number,
  peaks: number[],
): Promise<number> {
  await forgetPeak(service.pid);
  const body = { jobs, target: { database_name: TARGET } };
  const { seconds: taken } = await completed(service, `/backups/${backupId}/restore`, body);
  peaks.push((await residentBytes(service.pid)).peak);
  await sql(server, 'postgres', `DROP DATABASE ${TARGET}`, 'CHECKPOINT');
  await flushDisks();
  return taken;
}

/** Dumps the sample once; each call of what it gives restores that. */
async function toolLine(
  bench: Bench,
  server: BenchServer,
  database: string,
): Promise<(jobs: number) => Promise<number>> {
  const env = { ...server.env, FILE: join(await bench.folder('restore'), 'dump'), TOOLS: server.tools };
  await shell(`"$TOOLS/pg_dump" -Fc --compress=zstd:3 -f "$FILE" ${database}`, env);
  return async (jobs) => {
    await sql(server, 'postgres', `CREATE DATABASE ${TARGET} TEMPLATE template0`);
    const taken = await timedShell(
      `"$TOOLS/pg_restore" --jobs=${jobs} --exit-on-error -d ${TARGET} "$FILE"`,
      env,
    );
    await sql(server, 'postgres', `DROP DATABASE ${TARGET}`, 'CHECKPOINT');
    return taken;
  };
}
