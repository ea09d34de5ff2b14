import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Family, parseExposition, valueOf } from '../support/exposition.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { findPromtool } from '../support/promtool.ts';
import { completedRestore } from '../support/restores.ts';
import { type LogLine, type Service, startService } from '../support/service.ts';
import { backupIn, completedBackup, freshShop, holdTable, register } from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), BACKUP_MAX_ATTEMPTS: '1' };
const HOUR_MS = 3_600_000;
let service: Service;
let dataDir: string;
let shop: Awaited<ReturnType<typeof freshShop>>;

beforeAll(async () => {
  shop = await freshShop(server);
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-metrics-'));
  service = await startService({ env, dataDir });
  await register(service, server, shop.name, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
  await rm(dataDir, { recursive: true, force: true });
});

async function scrape(): Promise<Map<string, Family>> {
  const { status, headers, text } = await service.request('GET', '/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return parseExposition(text);
}

/** Names of the databases that stand as a label anywhere. */
function labelled(families: ReadonlyMap<string, Family>): string[] {
  const samples = [...families.values()].flatMap((family) => family.samples);
  return [...new Set(samples.flatMap(({ labels }) => labels['database'] ?? []))].toSorted();
}

/** Leaves the one schedule, an hourly one, as a service leaves it that stops at the beginning of an hour so many hours ago. */
function settleSchedule(hoursAgo: number): void {
  const hour = Math.floor(Date.now() / HOUR_MS) - hoursAgo;
  const [settled, next] = [hour, hour + 1].map((each) => new Date(each * HOUR_MS).toISOString());
  using catalog = new DatabaseSync(join(dataDir, 'data/backup.db'));
  const settle = catalog.prepare('UPDATE schedules SET settled_until = ?, next_run_at = ?');
  expect(settle.run(settled!, next!).changes).toBe(1);
}

/** How many the events tell of; undefined when there is none. */
function missedRuns(): number | undefined {
  using catalog = new DatabaseSync(join(dataDir, 'data/backup.db'), { readOnly: true });
  const sum = `SELECT sum(json_extract(facts, '$.count')) AS runs FROM events WHERE name = 'ScheduleRunMissed'`;
  const runs = catalog.prepare(sum).get()?.['runs'];
  return typeof runs === 'number' ? runs : undefined;
}

const shopLabels = { database: 'shop' };
const completed = { ...shopLabels, status: 'completed' };
const failed = { ...shopLabels, status: 'failed' };

describe('the metrics', () => {
  test('have every promised name, with its type, before anything has happened', async () => {
    const families = await scrape();
    const types = Object.fromEntries([...families].map(([name, { type }]) => [name, type]));
    expect(types).toMatchObject({
      backups_total: 'counter',
      backup_duration_seconds: 'histogram',
      backup_size_bytes: 'gauge',
      disk_space_available_bytes: 'gauge',
      backup_last_success_timestamp_seconds: 'gauge',
      backup_last_proven_timestamp_seconds: 'gauge',
      backup_evidence_level: 'gauge',
      restore_duration_seconds: 'histogram',
      backups_running: 'gauge',
      backups_queued: 'gauge',
      backups_removal_failing: 'gauge',
      restore_differs_total: 'counter',
      schedule_missed_total: 'counter',
      retention_deleted_total: 'counter',
      catalog_writable: 'gauge',
      process_cpu_seconds_total: 'counter',
    });
    for (const series of [completed, failed]) expect(valueOf(families, 'backups_total', series)).toBe(0);
    expect(valueOf(families, 'backup_last_success_timestamp_seconds', shopLabels)).toBeUndefined();
    expect(valueOf(families, 'catalog_writable')).toBe(1);
    expect(valueOf(families, 'disk_space_available_bytes')).toBeGreaterThan(0);
  });

  test('show what backups and restores have done, also after a restart', async () => {
    const backup = await completedBackup(service, 'shop');
    await completedRestore(service, backup.id);
    const absent = await register(service, server, 'no_such_database', 'absent');
    const asked = await service.request<{ id: string }>('POST', '/backups', { database_id: absent });
    await backupIn(service, asked.body.id, 'failed');
    const check = (families: Map<string, Family>): void => {
      expect(valueOf(families, 'backups_total', completed)).toBe(1);
      expect(valueOf(families, 'backups_total', { database: 'absent', status: 'failed' })).toBe(1);
      expect(valueOf(families, 'backup_duration_seconds_count')).toBe(1);
      expect(valueOf(families, 'backup_duration_seconds_sum')).toBeGreaterThan(0);
      expect(valueOf(families, 'restore_duration_seconds_count')).toBe(1);
      expect(valueOf(families, 'backup_size_bytes', shopLabels)).toBe(backup.size_bytes);
      expect(valueOf(families, 'backup_evidence_level', shopLabels)).toBe(4);
      const ageSeconds =
        Date.now() / 1000 - valueOf(families, 'backup_last_proven_timestamp_seconds', shopLabels)!;
      expect(ageSeconds).toBeGreaterThanOrEqual(0);
      expect(ageSeconds).toBeLessThan(120);
      expect(labelled(families)).toEqual(['absent', 'shop']);
    };
    check(await scrape());
    await service.stop();
    service = await startService({ env, dataDir });
    check(await scrape());
  });

  test('show what runs now and what waits, and the status says the same', async () => {
    const names = ['shop', 'second', 'third'];
    for (const name of names.slice(1)) await register(service, server, shop.name, name);
    const expectActive = async (running: number, queued: number, total: number): Promise<void> => {
      const families = await scrape();
      expect(valueOf(families, 'backups_running')).toBe(running);
      expect(valueOf(families, 'backups_queued')).toBe(queued);
      const { body } = await service.request('GET', '/backups/status');
      expect(body).toMatchObject({ running, queued, total_backups: total });
    };
    const release = await holdTable(server, shop.name, 'orders');
    const ids: string[] = [];
    for (const database_id of names) {
      const asked = await service.request<{ id: string }>('POST', '/backups', { database_id });
      ids.push(asked.body.id);
    }
    // Two at once is what one server is given unless told otherwise.
    for (const id of ids.slice(0, 2)) await backupIn(service, id, 'running');
    await expectActive(2, 1, 1);
    await release();
    for (const id of ids) await backupIn(service, id, 'completed');
    await expectActive(0, 0, 4);
    expect(valueOf(await scrape(), 'backups_total', completed)).toBe(2);
  });

  test('forget a database that is removed; sums over all databases do not sink', async () => {
    const before = valueOf(await scrape(), 'backup_duration_seconds_count');
    await register(service, server, shop.name, 'short-lived');
    await completedBackup(service, 'short-lived');
    expect(labelled(await scrape())).toContain('short-lived');
    await service.request('DELETE', '/databases/short-lived?backups=delete');
    const families = await scrape();
    expect(labelled(families)).not.toContain('short-lived');
    expect(valueOf(families, 'backup_duration_seconds_count')).toBe(before! + 1);
    // Another database of the same name begins at nothing.
    await register(service, server, shop.name, 'short-lived');
    expect(valueOf(await scrape(), 'backups_total', { database: 'short-lived', status: 'completed' })).toBe(
      0,
    );
  });

  test('count the runs that were missed, of which the log tells once, and what retention lets go', async () => {
    const tended = { database: 'tended' };
    const id = await register(service, server, shop.name, 'tended');
    for (let made = 0; made < 3; made += 1) await completedBackup(service, 'tended');
    const schedule = { database_id: id, name: 'hourly', cron: '0 * * * *', catch_up: 'skip' };
    expect((await service.request('POST', '/schedules', schedule)).status).toBe(201);
    const before = await scrape();
    expect(valueOf(before, 'retention_deleted_total', tended)).toBe(0);
    expect(valueOf(before, 'schedule_missed_total', tended)).toBe(0);

    await service.request('PATCH', '/databases/tended', { max_backups: 1 });
    expect((await service.request('POST', '/backups/cleanup', { database_id: id })).status).toBe(200);
    await service.stop();
    settleSchedule(30);
    service = await startService({ env, dataDir });
    const told = await until('the missed runs', missedRuns);
    // The newest hour may just have begun, and then is no missed one.
    expect(told).toBeGreaterThanOrEqual(29);
    const after = await scrape();
    expect(valueOf(after, 'schedule_missed_total', tended)).toBe(told);
    expect(valueOf(after, 'retention_deleted_total', tended)).toBe(2);
    const lines = (): LogLine[] => service.logs().filter(({ msg }) => msg.includes('backups were missed'));
    await until('the line of the log', () => lines().length > 0);
    const missed = { level: 'error', database: 'tended', schedule: 'hourly', count: told, caughtUp: false };
    expect(lines()).toMatchObject([missed]);
  });

  test('please the linter of Prometheus', async (context) => {
    const promtool = await findPromtool();
    context.skip(promtool === undefined, "promtool is not here (Debian's package prometheus has it)");
    const { text } = await service.request('GET', '/metrics');
    // Node's own metrics have names that the linter would not have chosen.
    const ours = text
      .split('\n')
      .filter((line) => !/\b(nodejs|process)_/.test(line))
      .join('\n');
    const checked = spawnSync(promtool!, ['check', 'metrics'], { input: ours, encoding: 'utf8' });
    expect(checked.stderr + checked.stdout).toBe('');
    expect(checked.status).toBe(0);
  });
});
