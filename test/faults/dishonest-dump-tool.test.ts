import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';

import { type FreshDatabase, freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { processesOf, type Service, startService } from '../support/service.ts';
import { completedBackup, freshShop, register } from '../support/shop.ts';
import { BAD_ENDS, type Ending, type FakeDumpTool, fakeDumpTool } from './fake-dump-tool.ts';
import { often, randoms, SEED } from './intensity.ts';

const RUNS = often(1_000, 10_000);
/** A tool that hangs takes the seconds after which it is found out; so not every other one does. */
const HANG_EVERY = 40;
/** So often every byte is right. No divisor of the number above, so that tools that hang have their turn as well. */
const ALL_EVERY = 7;
/** So many databases are backed up at the same time. */
const LANES = 8;
/** A tool that shows nothing for so long hangs. On a machine with much else to do an honest start takes seconds, too. */
const STALL_SECONDS = 6;
const MOST_NOT_RUN = RUNS / 5;

const server = newestPostgresServer();
const databases: FreshDatabase[] = [];
let tool: FakeDumpTool;
let service: Service;
let sizeBytes: number;

/** What the true `pg_dump` writes for the shop. */
async function recordDump(shop: FreshDatabase): Promise<Buffer> {
  await using honest = await startService({ env: { PG_BIN_DIRS: server.clientBinDirs.join(':') } });
  await register(honest, server, shop.name, 'recorded');
  const { id } = await completedBackup(honest, 'recorded');
  const answer = await fetch(`${honest.url}/backups/${id}/download?plain=true`);
  return Buffer.from(await answer.arrayBuffer());
}

beforeAll(async () => {
  const shop = await freshShop(server, 'fake');
  databases.push(shop);
  const dump = await recordDump(shop);
  sizeBytes = dump.length;
  tool = await fakeDumpTool(dump, server.major);
  service = await startService({
    env: {
      PG_BIN_DIRS: tool.folder,
      BACKUP_MAX_ATTEMPTS: '1',
      STALL_SECONDS: String(STALL_SECONDS),
      MAX_CONCURRENT_BACKUPS: String(LANES),
      MAX_CONCURRENT_PER_HOST: String(LANES),
    },
  });
  for (let lane = 1; lane < LANES; lane += 1) {
    const copy = await freshDatabase(server, `fake${lane}`);
    await sql(server, 'postgres', `DROP DATABASE ${copy.name}`);
    await sql(server, 'postgres', `CREATE DATABASE ${copy.name} TEMPLATE ${shop.name}`);
    databases.push(copy);
  }
  for (const { name } of databases) await register(service, server, name, name);
});
afterAll(async () => {
  await service?.stop();
  await tool?.[Symbol.asyncDispose]();
  for (const database of databases) await database.drop();
});

/** The code of the error with which the backup failed; `completed` when it did not. */
async function backUp(name: string, ending: Ending): Promise<string> {
  await tool.next(name, ending);
  const answer = await service.request<{ facts: { status: string; error: { code: string } } }>(
    'POST',
    '/backups?wait=completed',
    { database_id: name },
  );
  if (answer.status === 200) return 'completed';
  const { status, error } = answer.body.facts;
  return status === 'failed' ? error.code : `${status}, ${answer.text}`;
}

function endingOf(run: number, random: (below: number) => number): Ending {
  const ways = BAD_ENDS.filter((way) => way.includes('hangs') === (run % HANG_EVERY === 0));
  const way = ways[random(ways.length)] ?? 'hangs';
  if (way === 'exits 0 too early') return { way, bytes: random(sizeBytes) };
  // All of the bytes are the hardest case: only how the tool ended tells that they are no good dump.
  return { way, bytes: run % ALL_EVERY === 0 ? sizeBytes : random(sizeBytes) };
}

/** A run that was given up before its tool came to its end, because the machine was too busy, is none, and is made again. */
function isNotRun(code: string, { way }: Ending): boolean {
  return code === 'dump-not-opened' || (code === 'archive-stalled' && !way.includes('hangs'));
}

describe('a pg_dump that writes right bytes', () => {
  test('and all of them, and exits 0, is believed: the fake is as good as the true one', async () => {
    const name = databases[0]?.name ?? '';
    expect(await backUp(name, { way: 'whole', bytes: sizeBytes })).toBe('completed');
  });

  test(`and then ends in some other way, at a random byte, ${RUNS} times: no backup is completed`, async () => {
    onTestFailed(() => void process.stderr.write(`repeat with BACKSTOP_SEED=${SEED}\n`));
    const random = randoms(2);
    let left = RUNS;
    let notRun = 0;
    const found: Record<string, Set<string>> = {};
    const work = async ({ name }: FreshDatabase): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const ending = endingOf(left, random);
        let code: string;
        while (isNotRun((code = await backUp(name, ending)), ending)) {
          notRun += 1;
          expect(notRun, 'dumps that were given up too early').toBeLessThan(MOST_NOT_RUN);
        }
        (found[ending.way] ??= new Set()).add(code);
      }
    };
    await Promise.all(databases.map(work));
    const { 'exits 0 too early': early, ...others } = found;
    expect(others).toEqual({
      'exits 3': new Set(['dump-failed']),
      'is killed': new Set(['dump-failed']),
      'closes its output early and exits 3': new Set(['dump-failed']),
      'closes its output early and hangs': new Set(['archive-stalled']),
      hangs: new Set(['archive-stalled']),
    });
    // The bytes themselves tell: nothing, not even the head of an archive, or one without its end.
    const tellTales = ['dump-empty', 'archive-foreign', 'archive-unreadable'];
    expect([...(early ?? [])].filter((code) => !tellTales.includes(code))).toEqual([]);
    const files = await readdir(join(service.dataDir, 'data', 'backups'), { recursive: true });
    const kinds = files.filter((name) => /\.(dump|partial|zst)/.test(name));
    expect(kinds, 'the files of the control, and no others').toHaveLength(2);
    expect(await processesOf(service.dataDir)).toHaveLength(1);
  });
});
