import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PostgresServer } from '../support/postgres-server.ts';
import { type FreshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { freshShop, SHOP_ROWS } from '../support/shop.ts';

const execute = promisify(execFile);
const README = new URL('../../README.md', import.meta.url);
const DONE = '@@done@@';

/** The shell blocks below a heading of the README, each as its lines. */
function blocksBelow(readme: string, heading: string): string[][] {
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  const [own = ''] = section.split(/\n## /);
  return [...own.matchAll(/```sh\n([\s\S]*?)\n```/g)].map((match) => (match[1] ?? '').split('\n'));
}

/** Client tools of exactly this server's major, as its package installs them. */
async function ownClientTools({ major, clientBinDirs }: PostgresServer): Promise<string> {
  for (const folder of clientBinDirs) {
    const { stdout } = await execute(join(folder, 'pg_restore'), ['--version']);
    if (new RegExp(`\\b${major}\\.`).test(stdout)) return folder;
  }
  throw new Error(`no pg_restore ${major} among ${clientBinDirs.join(', ')}`);
}

/** What a restore answers, as far as the README promises it. */
interface RestoreAnswer {
  status: string;
  target: { database_name: string };
  result: { verified: boolean };
}

describe('the commands of the README', () => {
  const server = newestPostgresServer();
  let readme: string;
  let folder: string;
  let service: Service;
  let shop: FreshDatabase;
  let outputs: string[] = [];
  let backup = '';
  const made: string[] = [];

  /** Runs lines in one shell, as somebody pastes them; gives what each one printed. */
  async function paste(lines: readonly string[], path: string): Promise<string[]> {
    const script = ['set -e', ...lines.flatMap((line) => [line, `echo; echo ${DONE}`])].join('\n');
    const env = { PATH: path, HOME: folder, BACKUP: backup, ...variables() };
    const { stdout } = await execute('sh', ['-c', script], { cwd: folder, env });
    return stdout.split(`\n${DONE}\n`).slice(0, -1);
  }

  /** The README's two variables, with this run's values. */
  function variables(): Record<string, string> {
    const { host, port, username, password } = server;
    return { API: service.url, SHOP: `postgres://${username}:${password}@${host}:${port}/${shop.name}` };
  }

  beforeAll(async () => {
    readme = await readFile(README, 'utf8');
    folder = await mkdtemp(join(tmpdir(), 'backstop-readme-'));
    shop = await freshShop(server, 'readme');
    service = await startService({ env: { PG_BIN_DIRS: server.clientBinDirs.join(delimiter) } });
    const [, five = []] = blocksBelow(readme, 'First backup and restore');
    outputs = await paste([...five, 'echo "$BACKUP"'], process.env['PATH'] ?? '');
    backup = outputs.at(-1)?.trim() ?? '';
  });

  afterAll(async () => {
    for (const name of made) await sql(server, 'postgres', `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    await service?.stop();
    await shop?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('asks for the two variables that this test sets, and then has five lines', () => {
    const [variablesBlock = [], five = []] = blocksBelow(readme, 'First backup and restore');
    expect(variablesBlock.map((line) => line.split('=')[0])).toEqual(Object.keys(variables()));
    expect(five).toHaveLength(5);
    for (const line of five) expect(line).toContain('curl ');
  });

  it('registers the database without giving its password away', () => {
    const [registered = ''] = outputs;
    expect(JSON.parse(registered)).toMatchObject({ name: 'shop', engine: 'postgres', password: 'set' });
    expect(registered).not.toContain(server.password);
  });

  it('backs it up and keeps the name of the archive', async () => {
    expect(backup).toMatch(/^backup_shop_\d{8}_\d{6}\.dump\.zst$/);
    const { body } = await service.request('GET', `/backups/${backup}`);
    expect(body).toMatchObject({ status: 'completed', filename: backup });
  });

  it('shows each table with its rows', () => {
    const contents: { items: { name: string; rows: number }[] } = JSON.parse(outputs[2] ?? '');
    expect(Object.fromEntries(contents.items.map(({ name, rows }) => [name, rows]))).toEqual(SHOP_ROWS);
  });

  it('restores it beside, equal to the backup, which is proven by that', async () => {
    const restore: RestoreAnswer = JSON.parse(outputs[3] ?? '');
    made.push(restore.target.database_name);
    expect(restore).toMatchObject({ status: 'completed', result: { verified: true } });
    expect(await rowsOf(server, restore.target.database_name)).toEqual(SHOP_ROWS);
    const { body } = await service.request('GET', `/backups/${backup}`);
    expect(body).toMatchObject({ evidence: { name: 'proven' } });
  });

  it('downloads the archive as it is stored', async () => {
    const { stdout } = await execute('sha256sum', [backup], { cwd: folder });
    const { body } = await service.request<{ sha256: string }>('GET', `/backups/${backup}`);
    expect(stdout.split(' ')[0]).toBe(body.sha256);
  });

  it('restores it without Backstop, by the tools of the PostgreSQL package', async () => {
    const [lines = []] = blocksBelow(readme, 'Restore without Backstop');
    // The README's name for the new database is the same in every run; the server is shared.
    const name = `${shop.name}_by_hand`;
    made.push(name);
    const own = lines.map((line) => line.replaceAll('shop_by_hand', name));
    await paste(own, `${await ownClientTools(server)}${delimiter}${process.env['PATH']}`);
    expect(await rowsOf(server, name)).toEqual(SHOP_ROWS);
  });
});

/** Rows of each table, counted without Backstop. */
async function rowsOf(server: PostgresServer, database: string): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const table of Object.keys(SHOP_ROWS)) {
    const [row] = await sql<{ count: string }>(server, database, `SELECT count(*) FROM ${table}`);
    counted[table] = Number(row?.count);
  }
  return counted;
}
