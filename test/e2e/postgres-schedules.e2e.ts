import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  connect,
  freshDatabase,
  type FreshDatabase,
  newestPostgresServer,
} from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import { completedBackup, freshShop, register } from '../support/shop.ts';
import { until } from '../support/until.ts';

/** Two services that share a catalog in PostgreSQL and a folder of archives, as on two machines. */
const server = newestPostgresServer();
let place: string;
let catalog: FreshDatabase;
let shop: FreshDatabase;
let services: Service[];

const start = async (name: string): Promise<Service> => {
  const { username, password, host, port } = server;
  return startService({
    env: {
      DATABASE_URL: `postgres://${username}:${password}@${host}:${port}/${catalog.name}`,
      PG_BIN_DIRS: server.clientBinDirs.join(':'),
      BACKUP_DIR: join(place, 'backups'),
      BACKSTOP_SECRET_KEY: 'not-a-secret-key-only-for-these-tests-0123456789',
      WORK_DIR: join(place, name),
    },
  });
};
const [one, two] = [(): Service => services[0]!, (): Service => services[1]!];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'backstop-schedules-'));
  catalog = await freshDatabase(server, 'schedules');
  shop = await freshShop(server);
  services = [await start('one')];
  services.push(await start('two'));
  await register(one(), server, shop.name, 'shop');
});
afterAll(async () => {
  for (const service of services ?? []) await service.stop();
  await shop?.drop();
  await catalog?.drop();
  await rm(place, { recursive: true, force: true });
});

interface ScheduleBody {
  id: string;
  next_run_at: string | null;
  last_status: string | null;
}
interface Made {
  id: string;
  status: string;
  trigger: string;
  schedule_id: string | null;
  slot_at: string | null;
  filename: string;
}

const rows = async (text: string): Promise<Record<string, unknown>[]> => {
  const client = await connect(server, catalog.name);
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

/** Leaves the schedules as services leave them that stop at the beginning of an hour so many hours ago. */
async function settle(hoursAgo: number): Promise<void> {
  const hour = Math.floor(Date.now() / 3_600_000) - hoursAgo;
  const [settled, next] = [hour, hour + 1].map((each) => new Date(each * 3_600_000).toISOString());
  await rows(`UPDATE schedules SET settled_until = '${settled}', next_run_at = '${next}'`);
}

describe('schedules on a catalog in PostgreSQL', () => {
  test('are made, changed and shown by any of the services, and refuse what SQLite refuses', async () => {
    const asked = { database_id: 'shop', name: 'nightly', cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    const made = await one().request<ScheduleBody>('POST', '/schedules', asked);
    expect(made.status, made.text).toBe(201);
    const twin = await two().request('POST', '/schedules', asked);
    expect(twin.body).toMatchObject({ status: 409, code: 'schedule-name-taken' });
    const path = `/schedules/${made.body.id}`;
    const changed = await two().request('PATCH', path, {
      interval_hours: 6,
      blackouts: [{ from: '08:00', to: '18:00' }],
    });
    expect(changed.body).toMatchObject({ cron: null, interval_hours: 6, catch_up: 'run' });
    expect((await one().request('GET', path)).body).toEqual(changed.body);
    expect((await one().request('DELETE', path)).status).toBe(204);
    expect((await two().request('GET', path)).body).toMatchObject({ code: 'schedule-not-found' });
  });

  test('make one backup for each slot, whichever ticker is first, and tell of missed runs once', async () => {
    const names = Array.from({ length: 20 }, (_, number) => `hourly-${number}`);
    for (const name of names) {
      await register(one(), server, shop.name, name, { schedule: '0 * * * *' });
    }
    await Promise.all(services.map((service) => service.stop()));
    await settle(30);
    // Both look at once at their start, and neither knows of the other.
    services = await Promise.all([start('one'), start('two')]);
    const made = await rows(`SELECT d.name FROM backups b JOIN schedules s ON s.id = b.schedule_id
      JOIN databases d ON d.id = s.database_id WHERE b.slot_at IS NOT NULL`);
    expect(made.map(({ name }) => name as string).toSorted()).toEqual(names.toSorted());
    const events = await rows(`SELECT facts FROM events WHERE name = 'ScheduleRunMissed'`);
    expect(events).toHaveLength(names.length);
    for (const { facts } of events) {
      const { count } = JSON.parse(facts as string) as { count: number };
      // The newest hour may just have begun, and then is no missed one.
      expect([29, 30]).toContain(count);
    }
    const running = async (): Promise<Made[]> =>
      (await two().request<Made[]>('GET', '/backups?status=queued&status=running')).body;
    await until('their end', async () => (await running()).length === 0);
    const done = await one().request<Made[]>('GET', '/backups?trigger=scheduled&status=completed');
    expect(done.body).toHaveLength(names.length);
  });
});

describe('retention on a catalog in PostgreSQL', () => {
  test('previews, sweeps after a backup and on request, whichever service is asked', async () => {
    await register(two(), server, shop.name, 'kept');
    const made = [];
    for (let count = 0; count < 4; count += 1) {
      made.push(await completedBackup(services[count % 2]!, 'kept'));
    }
    await one().request('PATCH', `/backups/${made[0]!.id}`, { locked: true });
    const tried = await two().request('POST', '/databases/kept/retention', { max_backups: 1, days: 3 });
    expect(tried.body).toMatchObject({ kept_count: 2, deleted_count: 2, failing: false });
    await two().request('PATCH', '/databases/kept', { max_backups: 2 });
    const asked = { database_id: 'kept', dry_run: true };
    const dry = await one().request('POST', '/backups/cleanup', asked);
    expect(dry.body).toMatchObject({ deleted_count: 1, kept: 3, dry_run: true });
    const [done, again] = await Promise.all(
      services.map((service) => service.request('POST', '/backups/cleanup', { database_id: 'kept' })),
    );
    // Two at once: each backup is let go once.
    expect(Number(done!.body['deleted_count']) + Number(again!.body['deleted_count'])).toBe(1);
    await completedBackup(one(), 'kept');
    const left = async (): Promise<Made[]> =>
      (await two().request<Made[]>('GET', '/backups?database_id=kept&status=completed')).body;
    await until('the sweep after the backup', async () => (await left()).length === 3);
    expect((await left()).map(({ id }) => id)).toContain(made[0]!.id);
    const names = (await left()).map(({ filename }) => filename);
    await until('the removal of the objects', async () => {
      const found = await readdir(join(place, 'backups', 'kept'));
      return (
        found
          .filter((name) => !name.endsWith('.manifest.json'))
          .toSorted()
          .join() === names.toSorted().join()
      );
    });
  });
});
