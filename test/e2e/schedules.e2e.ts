import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { freshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { type Answer, type Service, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

interface View {
  id: string;
  name: string;
  cron: string | null;
  next_run_at: string | null;
  last_status: string | null;
  [field: string]: unknown;
}
interface Firing {
  at: string;
  local: string;
  note: string | null;
}

const server = newestPostgresServer();
const connection = { engine: 'postgres', host: server.host, port: server.port };
const account = { username: server.username, password: server.password };
const pg = { PG_BIN_DIRS: server.clientBinDirs.join(':') };

let service: Service;
beforeAll(async () => {
  service = await startService({ env: pg });
});
afterAll(async () => {
  await service.stop();
});

/** Registers a database that nothing connects to. */
async function register(name: string, more: Record<string, unknown> = {}, on = service): Promise<View> {
  const answer = await on.request<View>('POST', '/databases', {
    name,
    ...connection,
    database_name: name,
    ...more,
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}
async function schedulesOf(name: string, on = service): Promise<View[]> {
  return (await on.request<View[]>('GET', `/schedules?database_id=${name}`)).body;
}

describe('schedules over HTTP', () => {
  it('are made, read, listed, changed, replaced and removed', async () => {
    await register('crud');
    const made = await service.request<View>('POST', '/schedules', {
      database_id: 'crud',
      name: 'nightly',
      cron: '30 2 * * *',
      timezone: 'Europe/Berlin',
      keep_daily: 7,
    });
    expect(made.status, made.text).toBe(201);
    expect(made.headers.get('location')).toBe(`/schedules/${made.body.id}`);
    expect(made.body).toMatchObject({
      database_name: 'crud',
      name: 'nightly',
      cron: '30 2 * * *',
      interval_hours: null,
      timezone: 'Europe/Berlin',
      from_environment: false,
      enabled: true,
      catch_up: 'run',
      retention: { keep_daily: 7 },
      last_run_at: null,
      last_status: null,
    });
    const { id } = made.body;
    const changed = await service.request<View>('PATCH', `/schedules/${id}`, {
      interval_hours: 6,
      catch_up: 'skip',
    });
    expect(changed.body).toMatchObject({
      cron: null,
      interval_hours: 6,
      catch_up: 'skip',
      retention: { keep_daily: 7 },
    });
    const replaced = await service.request<View>('PUT', `/schedules/${id}`, {
      cron: '0 4 * * *',
      enabled: false,
    });
    expect(replaced.body).toMatchObject({
      name: 'nightly',
      cron: '0 4 * * *',
      interval_hours: null,
      timezone: 'UTC',
      enabled: false,
      next_run_at: null,
      catch_up: 'run',
      retention: null,
    });
    expect(await schedulesOf('crud')).toEqual([replaced.body]);
    const twin = await service.request('POST', '/schedules', {
      database_id: 'crud',
      name: 'nightly',
      cron: '0 5 * * *',
    });
    expect([twin.status, twin.body['code']]).toEqual([409, 'schedule-name-taken']);
    const moved = await service.request('PUT', `/schedules/${id}`, {
      cron: '0 4 * * *',
      database_id: 'another',
    });
    expect(moved.body['detail']).toMatch(/database_id: cannot be changed/);
    expect((await service.request('DELETE', `/schedules/${id}`)).status).toBe(204);
    expect((await service.request('GET', `/schedules/${id}`)).body).toMatchObject({
      code: 'schedule-not-found',
    });
    expect((await service.request('GET', '/schedules/no-id')).status).toBe(404);
  });

  it.each([
    [{ cron: '0 0 3 * * *' }, 'schedule-invalid', /cron: must have 5 fields .*not 6; a field for seconds/],
    [{ cron: '60 * * * *' }, 'schedule-invalid', /minute field has "60": allowed are 0 to 59/],
    [{ cron: '0 0 31 2 *' }, 'schedule-invalid', /never fires/],
    [{ cron: '0 3 * * *', timezone: 'Mars/Olympus' }, 'schedule-invalid', /"Mars\/Olympus" is no time zone/],
    [{ cron: '0 3 * * *', interval_hours: 6 }, 'schedule-ambiguous', /Both cron and interval_hours/],
    [{}, 'schedule-incomplete', /give cron or interval_hours/],
    [{ interval_hours: 0 }, 'schedule-invalid', /interval_hours: must be a whole number from 1/],
    [{ interval_hours: 1.5 }, 'schedule-invalid', /not 1.5/],
    [
      { cron: '0 3 * * *', retention_days: 0 },
      'retention-invalid',
      /retention_days .*0 would delete every backup/,
    ],
    [{ cron: '* * * * *', jitter_seconds: 60 }, 'schedule-invalid', /jitter_seconds: must be less/],
    [{ cron: '0 3 * * *', blackouts: [{ from: '00:00', to: '24:00' }] }, 'schedule-invalid', /whole week/],
    [{ cron: '0 3 * * *', blackouts: [{ from: '8', to: '9' }] }, 'invalid-request', /./],
    [{ cron: '0 3 * * *', database_id: 'absent' }, 'database-not-found', /absent/],
    [{ cron: '0 3 * * *', catch_up: 'all' }, 'invalid-request', /./],
  ])('%j is refused as %s', async (fields, code, reason) => {
    if ((await service.request('GET', '/databases/refusing')).status === 404) await register('refusing');
    const answer = await service.request('POST', '/schedules', { database_id: 'refusing', ...fields });
    expect(answer.body).toMatchObject({ code, status: code === 'database-not-found' ? 404 : 400 });
    expect(answer.body['detail']).toMatch(reason);
    expect(await schedulesOf('refusing')).toEqual([]);
  });

  it('are previewed with what daylight saving does to them, before and after they are made', async () => {
    const trial = { cron: '30 2 29 3 *', timezone: 'Europe/Berlin', count: 12 };
    const answer = await service.request<Firing[]>('POST', '/schedules/preview', trial);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toHaveLength(12);
    // 29 March is a Sunday of change in 2026, 2037, …
    const noted = answer.body.filter(({ note }) => note !== null);
    expect(noted[0]).toEqual({
      at: '2037-03-29T01:00:00.000Z',
      local: '2037-03-29T03:00:00',
      note: '02:30 does not exist on 2037-03-29 in Europe/Berlin; it runs at 03:00, the next valid time',
    });
    await register('previewed', { schedule: '0 3 * * *', timezone: 'Asia/Jakarta' });
    const [schedule] = await schedulesOf('previewed');
    const own = await service.request<Firing[]>('GET', `/schedules/${schedule?.id}/preview?count=3`);
    expect(own.body.map(({ at }) => at.slice(11))).toEqual(Array.from({ length: 3 }, () => '20:00:00.000Z'));
    expect(own.body[0]?.at).toBe(schedule?.next_run_at);
    const wrong = await service.request('POST', '/schedules/preview', { cron: '61 * * * *' });
    expect(wrong.body).toMatchObject({ status: 400, code: 'schedule-invalid' });
  });
});

describe('the short form in a database', () => {
  it('makes, changes and takes away its default schedule and its policy', async () => {
    const fields = { schedule: '0 3 * * *', timezone: 'Asia/Jakarta', retention_days: 7, max_backups: 5 };
    expect(await register('short', fields)).toMatchObject({ ...fields, enabled: true });
    expect((await service.request('GET', '/databases/short')).body).toMatchObject({
      ...fields,
      enabled: true,
    });
    expect(await schedulesOf('short')).toMatchObject([
      { name: 'default', cron: '0 3 * * *', timezone: 'Asia/Jakarta' },
    ]);
    const patch = async (changes: Record<string, unknown>): Promise<Record<string, unknown>> =>
      (await service.request('PATCH', '/databases/short', changes)).body;
    const other = await patch({ interval_hours: 6, retention_days: null, keep_monthly: 12 });
    expect(other).toMatchObject({
      interval_hours: 6,
      retention_days: null,
      max_backups: 5,
      keep_monthly: 12,
    });
    expect(other).not.toHaveProperty('schedule');
    expect(await patch({ enabled: false })).toMatchObject({ enabled: false, interval_hours: 6 });
    expect(await schedulesOf('short')).toMatchObject([{ enabled: false, next_run_at: null }]);
    expect(await patch({ enabled: true, interval_hours: null })).not.toHaveProperty('enabled');
    expect(await schedulesOf('short')).toEqual([]);
  });

  it.each([
    [{ schedule: '0 3 * * *', interval_hours: 6 }, 'schedule-ambiguous', /Both schedule and interval_hours/],
    [{ schedule: '60 * * * *' }, 'schedule-invalid', /^schedule: the minute field/],
    [{ timezone: 'Asia/Jakarta' }, 'schedule-incomplete', /give schedule or interval_hours/],
    [{ schedule: '0 3 * * *', timezone: '+07:00' }, 'schedule-invalid', /no time zone/],
    [{ retention_days: 0 }, 'retention-invalid', /retention_days must be .*0 would delete every backup/],
    [{ retention_days: -1 }, 'retention-invalid', /not -1/],
    [{ max_backups: 0 }, 'retention-invalid', /max_backups must be .*0 would delete every backup/],
    [{ retention_days: '7' }, 'invalid-request', /./],
  ])('%j is refused as %s, and nothing is registered', async (fields, code, reason) => {
    const body = { name: 'refused', ...connection, database_name: 'refused', ...fields };
    const answer = await service.request('POST', '/databases', body);
    expect(answer.body).toMatchObject({ status: 400, code });
    expect(answer.body['detail']).toMatch(reason);
    expect((await service.request('GET', '/databases/refused')).status).toBe(404);
  });
});

describe('a service with a schedule of its own', () => {
  it('gives it to databases that have none, follows its changes, and says whether it is on', async () => {
    await using first = await startService({
      env: { ...pg, BACKUP_SCHEDULE: '0 3 * * *', TIMEZONE: 'Asia/Jakarta' },
    });
    await register('follows', {}, first);
    await register('own', { interval_hours: 6 }, first);
    expect(await schedulesOf('follows', first)).toMatchObject([
      { name: 'default', cron: '0 3 * * *', timezone: 'Asia/Jakarta', from_environment: true },
    ]);
    expect(await schedulesOf('own', first)).toMatchObject([{ interval_hours: 6, from_environment: false }]);
    const [follower] = await schedulesOf('follows', first);
    const removal = await first.request('DELETE', `/schedules/${follower?.id}`);
    expect(removal.body).toMatchObject({ status: 409, code: 'schedule-from-environment' });
    const status = await first.request('GET', '/backups/status');
    expect(status.body).toMatchObject({
      enabled: true,
      retention_days: 30,
      max_backups: null,
      interval_hours: null,
    });
    const next = (status.body['scheduler'] as { next_run_at: string }).next_run_at;
    expect(new Date(next).getTime()).toBeGreaterThan(Date.now());

    // A schedule of its own takes the place of the service's; removing it brings that back.
    const made = await first.request<View>('POST', '/schedules', {
      database_id: 'follows',
      cron: '0 5 * * *',
    });
    expect(await schedulesOf('follows', first)).toMatchObject([{ cron: '0 5 * * *' }]);
    await first.request('DELETE', `/schedules/${made.body.id}`);
    expect(await schedulesOf('follows', first)).toMatchObject([
      { cron: '0 3 * * *', from_environment: true },
    ]);
  });

  it('is off with BACKUP_ENABLED=false, and says so', async () => {
    await using off = await startService({
      env: { ...pg, BACKUP_ENABLED: 'false', BACKUP_INTERVAL_HOURS: '6' },
    });
    await register('waits', {}, off);
    expect(await schedulesOf('waits', off)).toMatchObject([{ interval_hours: 6, next_run_at: null }]);
    const status = await off.request('GET', '/backups/status');
    expect(status.body).toMatchObject({
      enabled: false,
      interval_hours: 6,
      scheduler: { next_run_at: null },
    });
  });
});

describe('GET /health/ready', () => {
  const off = { ...pg, BACKUP_ENABLED: 'false' };

  it('tells that the scheduler looks, and that nothing is wrong with one that is off', async () => {
    const ready = await service.request('GET', '/health/ready');
    expect([ready.status, ready.body['details']]).toMatchObject([
      200,
      { scheduler: { status: 'up', enabled: true, last_look_at: expect.stringMatching(/Z$/) as string } },
    ]);
    await using idle = await startService({ env: off });
    const still = await idle.request('GET', '/health/ready');
    expect([still.status, still.body['details']]).toMatchObject([
      200,
      { scheduler: { status: 'up', enabled: false, last_look_at: null } },
    ]);
  });

  it('is refused while a schedule that is due cannot be run', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'backstop-ready-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const first = await startService({ env: off, dataDir });
    await register('broken', { schedule: '0 3 * * *' }, first);
    await first.stop();
    {
      using catalog = new DatabaseSync(join(dataDir, 'data/backup.db'));
      catalog.exec(`UPDATE schedules SET cron = '61 * * * *', next_run_at = '2026-01-01T00:00:00.000Z',
        firing = json_set(firing, '$.cron', '61 * * * *')`);
    }
    await using second = await startService({ env: pg, dataDir });
    const refused = await second.request('GET', '/health/ready');
    expect(refused.body).toMatchObject({
      status: 503,
      code: 'not-ready',
      detail: 'not working: scheduler',
      facts: { catalog: { status: 'up' }, scheduler: { status: 'down', enabled: true } },
    });
    expect(refused.text).toContain('1 due schedules could not be run in the last minute; the log says why');
    expect(second.logs().some(({ msg }) => msg.startsWith('cannot run a schedule'))).toBe(true);
    expect((await second.request('GET', '/health/live')).status).toBe(200);
  });
});

describe('a schedule at work', () => {
  it('makes its backup by itself within the minute, and at once when it is told to', async () => {
    await using database = await freshDatabase(server, 'scheduled');
    await register('works', { database_name: database.name, ...account, schedule: '* * * * *' });
    const [schedule] = await schedulesOf('works');
    const own = async (): Promise<Record<string, unknown> | undefined> => {
      const { body } = await service.request<Record<string, unknown>[]>('GET', '/backups?database_id=works');
      return body.find((backup) => backup['trigger'] === 'scheduled' && backup['status'] === 'completed');
    };
    const backup = await until('the scheduled backup', own, 180_000);
    expect(backup).toMatchObject({ schedule_id: schedule?.id });
    expect(backup['slot_at']).toMatch(/:00\.000Z$/);
    const [after] = await schedulesOf('works');
    expect(after).toMatchObject({ last_status: expect.stringMatching(/completed|running|queued/) as string });
    await service.request('PATCH', '/databases/works', { enabled: false });
    const key = { 'idempotency-key': 'run-once' };
    const run = (): Promise<Answer> =>
      service.request('POST', `/schedules/${schedule?.id}/run`, undefined, key);
    const ran = await until('run now', async () => {
      const answer = await run();
      return answer.status === 202 ? answer : undefined;
    });
    expect(ran.body).toMatchObject({ trigger: 'manual', schedule_id: schedule?.id, slot_at: null });
    expect(ran.headers.get('location')).toBe(`/backups/${String(ran.body['id'])}`);
    await until('its end', async () => (await schedulesOf('works'))[0]?.last_status === 'completed');
    expect((await run()).body, 'the same key').toMatchObject({ id: ran.body['id'], status: 'completed' });
  }, 480_000);
});
