import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { backstop, type CliResult } from '../support/cli.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { completedBackup, freshShop, register } from '../support/shop.ts';

const server = newestPostgresServer();
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env: { PG_BIN_DIRS: server.clientBinDirs.join(':') } });
  await register(service, server, shop.name, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
});

/** Words with blanks in them are given as a list. */
const run = (line: string | string[]): Promise<CliResult> =>
  backstop(typeof line === 'string' ? line.split(' ') : line, { env: { BACKSTOP_URL: service.url } });

async function json<T>(line: string | string[]): Promise<T> {
  const { code, stdout, stderr } = await run([
    '--json',
    ...(typeof line === 'string' ? line.split(' ') : line),
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

interface Schedule {
  id: string;
  name: string;
  enabled: boolean;
  [field: string]: unknown;
}

// Each word of the command line is a process of its own.
const SLOW = { timeout: 180_000 };

describe('schedules on the command line', SLOW, () => {
  test('are made, found by their names, changed, switched and removed', async () => {
    const add = [
      'schedules',
      'add',
      'shop',
      '--name',
      'nightly',
      '--cron',
      '30 2 * * *',
      '--timezone',
      'Europe/Berlin',
    ];
    const added = await run([
      ...add,
      '--blackout',
      'mon,fri 08:00-18:00',
      '--blackout',
      '23:00-01:00',
      '--retention-days',
      '5',
    ]);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toMatch(/^schedule +shop\/nightly\nid .*\nwhen +30 2 \* \* \*, Europe\/Berlin\n/);
    expect(added.stdout).toContain('mon,fri 08:00-18:00; 23:00-01:00');
    expect((await run(add)).stderr).toContain('schedule-name-taken: ');
    expect((await run('schedules add shop --every-hours 6 --disabled')).stdout).toMatch(
      /every 6 h, UTC\nruns +off/,
    );
    const list = await run('schedules list --database shop');
    expect(list.stdout).toMatch(
      /^SCHEDULE +WHEN .*\nshop\/nightly +30 2 .*\nshop\/default +every 6 h +UTC +off/,
    );

    const [nightly] = await json<Schedule[]>('schedules list');
    expect(await json<Schedule>(`schedules show ${nightly!.id}`)).toMatchObject({ name: 'nightly' });
    expect(await json<Schedule>('schedules enable shop')).toMatchObject({ name: 'default', enabled: true });
    expect(await json<Schedule>('schedules disable shop/default')).toMatchObject({ enabled: false });
    const set =
      'schedules set shop/nightly --every-hours 12 --jitter-seconds 60 --blackout none --retention-days none';
    expect(await json<Schedule>(set)).toMatchObject({
      cron: null,
      interval_hours: 12,
      timezone: 'Europe/Berlin',
      jitter_seconds: 60,
      blackouts: [],
      retention: { retention_days: null },
    });

    expect((await run('schedules remove shop/nightly')).stderr).toContain(
      'Remove the schedule shop/nightly?',
    );
    expect(await json('schedules remove shop/nightly --yes')).toEqual({ removed: nightly!.id });
    const gone = await run('schedules show shop/nightly');
    expect(gone).toMatchObject({
      code: 3,
      stderr: 'schedule-not-found: shop has no schedule called nightly.\n',
    });
    expect((await run('schedules show nowhere')).stderr).toContain('database-not-found: ');
  });

  test('are shown before they happen', async () => {
    const trial = [
      'schedules',
      'preview',
      '--cron',
      '30 2 * * *',
      '--timezone',
      'Europe/Berlin',
      '--count',
      '400',
    ];
    const { stdout } = await run(trial);
    expect(stdout).toMatch(/^UTC +ON THE WALL +NOTE\n/);
    expect(stdout).toContain('02:30 does not exist on ');
    expect(await json<unknown[]>('schedules preview shop --count 3')).toHaveLength(3);
    expect((await run('schedules preview')).code).toBe(2);
    expect((await run(['schedules', 'preview', '--cron', '0 0 31 2 *'])).stderr).toContain('never fires');
  });

  test('refuse what cannot be, each with its exit code', async () => {
    expect((await run(['schedules', 'add', 'shop', '--cron', '* * * * *', '--every-hours', '1'])).code).toBe(
      2,
    );
    expect((await run('schedules add shop --name x --every-hours six')).code).toBe(2);
    expect((await run('schedules add shop --name x --every-hours 1 --blackout noon')).code).toBe(2);
    expect((await run('schedules set shop')).stderr).toContain('Nothing is to be changed');
    const wrong = await run(['schedules', 'add', 'shop', '--name', 'x', '--cron', '60 * * * *']);
    expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining('schedule-invalid: ') });
  });

  test('run now, and can be waited for', async () => {
    const made = await json<{ status: string; trigger: string }>('schedules run shop --wait');
    expect(made).toMatchObject({ status: 'completed', trigger: 'manual' });
    expect((await run('schedules list')).stdout).toContain(' completed');
  });
});

describe('cleaning up on the command line', SLOW, () => {
  test('shows what would go, asks, and deletes that', async () => {
    await completedBackup(service, 'shop');
    await completedBackup(service, 'shop');
    await service.request('PATCH', '/databases/shop', { max_backups: 1 });
    const dry = await run('cleanup --dry-run --database shop');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(
      /^backup_shop_.*\nbackup_shop_.*\n2 backups would be deleted, .*; 1 backup would stay\n$/,
    );
    const asked = await run('backups cleanup');
    expect(asked).toMatchObject({ code: 2, stdout: '' });
    expect(asked.stderr).toMatch(/backup_shop_.*\n.*\nDelete 2 backups, .*\? They cannot be brought back\./);
    expect((await service.request<unknown[]>('GET', '/backups?status=completed')).body).toHaveLength(3);
    const done = await json<{ deleted_count: number; kept: number }>('cleanup --yes');
    expect(done).toMatchObject({ deleted_count: 2, kept: 1, dry_run: false });
    // With nothing to delete there is nothing to ask.
    expect(await run('cleanup --retention-days 1')).toMatchObject({
      code: 0,
      stdout: '0 backups deleted, 0 B freed; 1 backup kept\n',
    });
    expect((await run('cleanup --retention-days 0')).code).toBe(2);
    expect((await run('cleanup --database nowhere --dry-run')).code).toBe(3);
  });
});

test('the new commands complete themselves', async () => {
  const { stdout } = await run('completion bash');
  expect(stdout).toContain("'schedules') words='list show add set enable disable remove run preview");
  expect(stdout).toMatch(/'cleanup'\) words='--database --retention-days --dry-run --yes/);
  expect(stdout).toContain("'config') words='check");
});
