import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { register } from 'prom-client';
import { afterEach, expect, test } from 'vitest';

import { Backup } from '../../src/backups/backup.entity.ts';
import { CatalogProbe } from '../../src/catalog/catalog-probe.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Readiness } from '../../src/catalog/readiness.entity.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { blankDatabase } from '../../src/databases/database-edits.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { EventCounter } from '../../src/events/event-counter.entity.ts';
import { EventQueries } from '../../src/events/event-queries.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { CatalogFactsReader } from '../../src/metrics/catalog-facts.ts';
import { MetricsRefresher } from '../../src/metrics/metrics-refresher.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { LOCAL_DESTINATION, StorageRegistry } from '../../src/storage/storage-registry.ts';
import { parseExposition, valueOf } from '../support/exposition.ts';

const clock = new SystemClock();
afterEach(() => register.clear());

async function freshRefresher() {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-metrics-'));
  const entities = [Backup, Database, EventCounter, EventTotal, RecordedEvent, Readiness];
  const { catalog, close } = await openCatalog(
    { kind: 'sqlite', path: join(folder, 'catalog.db') },
    { entities, migrations: MIGRATIONS },
  );
  const storages = new StorageRegistry(new Map([[LOCAL_DESTINATION, new LocalStorage(folder)]]));
  const facts = new CatalogFactsReader(catalog, new EventQueries(catalog, clock));
  const probe = new CatalogProbe(catalog, clock);
  const refresher = new MetricsRefresher(new ServiceMetrics(), facts, probe, storages, clock);
  return {
    catalog,
    close,
    scrape: async () => {
      await refresher.refresh();
      return parseExposition(await register.metrics());
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function freshShop(): Database {
  const traits = { defaultPort: 5432 } as Parameters<typeof blankDatabase>[1]['traits'];
  return Object.assign(blankDatabase('d1', { kind: 'postgres', traits }, clock.now()), { name: 'shop' });
}

function backup(id: string, hour: number, more: Partial<Backup> = {}): Partial<Backup> {
  const at = new Date(Date.UTC(2026, 10, 21, hour));
  return {
    ...{ id, databaseId: 'd1', databaseName: 'shop', databaseHost: 'db', engine: 'postgres' },
    ...{ status: 'completed', trigger: 'manual', locked: false, attempt: 1, cancelRequested: false },
    ...{ createdAt: at, startedAt: at, completedAt: at, sizeBytes: hour },
    ...{ evidenceLevel: 0, evidenceAt: at },
    ...more,
  };
}

test('a catalog that is gone shows as such, and nothing that was true before', async () => {
  await using room = await freshRefresher();
  const shop = freshShop();
  await room.catalog.write((tx) => tx.insert(Database, shop));
  const before = await room.scrape();
  expect(valueOf(before, 'catalog_writable')).toBe(1);
  expect(valueOf(before, 'schedule_missed_total', { database: 'shop' })).toBe(0);
  expect(valueOf(before, 'backups_running')).toBe(0);
  expect(valueOf(before, 'backup_duration_seconds_count')).toBe(0);
  await room.close();
  const after = await room.scrape();
  expect(valueOf(after, 'catalog_writable')).toBe(0);
  expect(valueOf(after, 'disk_space_available_bytes')).toBeGreaterThan(0);
  const left = [...after.values()].flatMap(({ samples }) => samples.map(({ name }) => name));
  expect(left).toEqual(['disk_space_available_bytes', 'disk_space_total_bytes', 'catalog_writable']);
});

test('the newest good backup counts, and not one that is damaged, failed or deleted', async () => {
  await using room = await freshRefresher();
  const shop = freshShop();
  const provenAt = new Date('2026-11-21T02:30:00Z');
  const rows = [
    backup('b0', 1, { status: 'expired', evidenceLevel: 5, evidenceAt: new Date('2026-11-21T09:00:00Z') }),
    backup('b1', 2, { evidenceLevel: 4, evidenceAt: provenAt }),
    backup('b2', 3),
    backup('b3', 4, { evidenceLevel: null, evidenceAt: null }),
    backup('b4', 5, { status: 'failed' }),
    backup('b5', 6, { databaseId: null, databaseName: 'gone' }),
  ];
  await room.catalog.write(async (tx) => {
    await tx.insert(Database, shop);
    for (const row of rows) await tx.insert(Backup, row);
  });
  const families = await room.scrape();
  const of = (name: string): number | undefined => valueOf(families, name, { database: 'shop' });
  expect(of('backup_last_success_timestamp_seconds')).toBe(Date.UTC(2026, 10, 21, 3) / 1000);
  expect(of('backup_size_bytes')).toBe(3);
  expect(of('backup_last_proven_timestamp_seconds')).toBe(provenAt.getTime() / 1000);
  // The newest of all is the damaged one.
  expect(of('backup_evidence_level')).toBe(-1);
  expect(valueOf(families, 'backup_size_bytes', { database: 'gone' })).toBeUndefined();
  await room.close();
});
