import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Service } from '../../test/support/service.ts';
import { ask, register } from '../harness/api.ts';
import type { Bench } from '../harness/bench.ts';
import { median, milliseconds } from '../harness/figures.ts';
import { fillBackups } from '../harness/sample-catalog.ts';
import type { Section, Table } from '../harness/section.ts';

const ROWS = 1_000_000;
const DATABASES = 100;
/** One that has never been backed up among all the others: its list must not read theirs. */
const EMPTY = 'never-backed-up';

/** An old installation: what a catalog of a million backups does to everything that is asked often. */
export const million: Section = {
  name: 'million',
  about: `a catalog of ${ROWS} backups: start, pages, statistics, a tick, a sweep`,
  async run(bench: Bench): Promise<Table[]> {
    const server = await bench.postgres();
    const folder = await bench.folder('million');
    // Nothing is due and nothing is let go: what is measured is the looking.
    const env = {
      BACKUP_SCHEDULE: '0 3 1 1 *',
      BACKUP_RETENTION_DAYS: '36500',
      DATABASE_PATH: join(folder, 'backup.db'),
    };
    const before = await bench.service(folder, env);
    const ids: string[] = [];
    for (let number = 0; number < DATABASES; number += 1) {
      ids.push(await register(before, server, `database-${number}`));
    }
    await register(before, server, EMPTY);
    await before.stop();
    const began = performance.now();
    fillBackups(env.DATABASE_PATH, ROWS, ids);
    const { size } = await stat(env.DATABASE_PATH);
    bench.say(
      `filled in ${((performance.now() - began) / 1000).toFixed(0)} s, ${(size / 1e6).toFixed(0)} MB`,
    );

    const rows: string[][] = [];
    const starts: number[] = [];
    let service: Service | undefined;
    for (let run = 0; run <= Math.min(bench.runs, 3); run += 1) {
      await service?.stop();
      const from = performance.now();
      service = await bench.service(folder, env);
      if (run > 0) starts.push(performance.now() - from);
    }
    if (service === undefined) throw new Error('no service was started');
    rows.push(rowOf('start, until it answers', starts));
    const { body: newest } = await service.request<{ id: string }[]>('GET', '/backups?limit=1');
    for (const [name, method, path, body] of await requestsTo(service)) {
      const taken: number[] = [];
      for (let run = 0; run <= bench.runs; run += 1) {
        // A write, or all but the first round would be answered with a page that was kept.
        await ask(service, 'PATCH', `/backups/${newest[0]?.id}`, { description: `${name} ${run}` });
        const from = performance.now();
        await ask(service, method, path, body);
        if (run > 0) taken.push(performance.now() - from);
      }
      const row = rowOf(name, taken);
      bench.say(row.join('  '));
      rows.push(row);
    }
    const { sweeps, pages } = await sweepAll(service, bench.runs);
    rows.push(rowOf('sweep of all', sweeps), rowOf('first page meanwhile', pages));
    await service.stop();
    return [
      {
        title: `A catalog of ${ROWS.toLocaleString('en-US')} backups of ${DATABASES} databases`,
        columns: ['', 'median', 'worst'],
        rows,
        notes: [
          'One request at a time, over HTTP, each after a write, so that no page is kept from before. Sweeps find nothing to delete: they are read, planned and reasons are written.',
        ],
      },
    ];
  },
};

/** Sweeps of all databases, and what it is to read a list meanwhile. The first one writes down every reason, and is not counted. */
async function sweepAll(service: Service, runs: number): Promise<{ sweeps: number[]; pages: number[] }> {
  const [sweeps, pages]: [number[], number[]] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const from = performance.now();
    const swept = new AbortController();
    const sweep = ask(service, 'POST', '/backups/cleanup', {}).finally(() => swept.abort());
    while (!swept.signal.aborted) {
      const asked = performance.now();
      await ask(service, 'GET', '/backups?limit=50');
      if (run > 0) pages.push(performance.now() - asked);
    }
    await sweep;
    if (run > 0) sweeps.push(performance.now() - from);
  }
  return { sweeps, pages };
}

type Request = readonly [name: string, method: string, path: string, body?: unknown];

async function requestsTo(service: Service): Promise<Request[]> {
  const middle = new Date(Date.now() - (ROWS / 2) * 600_000).toISOString();
  const deep = await service.request('GET', `/backups?limit=500&to=${middle}`);
  const next = /<([^>]+)>/.exec(deep.headers.get('link') ?? '')?.[1] ?? '';
  return [
    ['first page', 'GET', '/backups?limit=50'],
    ['a page in the middle', 'GET', next.replace('limit=500', 'limit=50')],
    ['one database', 'GET', '/backups?limit=50&database_id=database-7'],
    ['a database without backups', 'GET', `/backups?limit=50&database_id=${EMPTY}`],
    ['one state', 'GET', '/backups?limit=50&status=failed'],
    ['a state that nothing is in', 'GET', '/backups?limit=50&status=running'],
    ['two states that most are in', 'GET', '/backups?limit=50&status=completed,failed'],
    ['a trigger that all have', 'GET', '/backups?limit=50&trigger=manual'],
    ['a trigger that nothing has', 'GET', '/backups?limit=50&trigger=scheduled'],
    ['an evidence that a fifth has', 'GET', '/backups?limit=50&evidence=proven'],
    ['an evidence that nothing has', 'GET', '/backups?limit=50&evidence=accepted'],
    ['words that are in all names', 'GET', '/backups?limit=50&q=database'],
    ['words that are nowhere', 'GET', '/backups?limit=50&q=nowhere'],
    ['status', 'GET', '/backups/status'],
    ['statistics', 'GET', '/backups/stats'],
    ['metrics', 'GET', '/metrics'],
    ['retention of one database', 'GET', '/databases/database-7/retention?days=1'],
    ['sweep of one database', 'POST', '/backups/cleanup', { database_id: 'database-7' }],
  ];
}

function rowOf(name: string, taken: readonly number[]): string[] {
  return [name, milliseconds(median(taken)), milliseconds(Math.max(...taken))];
}
