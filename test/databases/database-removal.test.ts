import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { EntityManager } from 'typeorm';
import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog, type OpenCatalog } from '../../src/catalog/open-catalog.js';
import { SystemClock } from '../../src/clock/system-clock.js';
import {
  type ActiveWork,
  type BackupsChoice,
  type DatabaseDependent,
  DatabaseDependents,
} from '../../src/databases/database-dependents.js';
import { insertDatabase } from '../../src/databases/database-rows.js';
import { DatabaseSecrets } from '../../src/databases/database-secrets.js';
import { Database } from '../../src/databases/database.entity.js';
import { DatabasesService } from '../../src/databases/databases.service.js';
import { EventCounter } from '../../src/events/event-counter.entity.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { EngineRegistry } from '../../src/engines/engine-registry.js';
import { SecretBox } from '../../src/secrets/secret-box.js';
import { deriveSecretKey } from '../../src/secrets/secret-key.js';

/** A room above, as the workflows are: says what it is told to, and remembers what it was asked. */
class RoomAbove implements DatabaseDependent {
  active: ActiveWork[] = [];
  complaint: Error | undefined;
  readonly removals: { databaseId: string; backups: BackupsChoice }[] = [];

  async activeWork(): Promise<ActiveWork[]> {
    return this.active;
  }

  async onRemove(tx: EntityManager, databaseId: string, backups: BackupsChoice): Promise<void> {
    // The row is still there, so that what belongs to it can be found.
    await tx.findOneByOrFail(Database, { id: databaseId });
    this.removals.push({ databaseId, backups });
    if (this.complaint) throw this.complaint;
  }
}

let folder: string;
let open: OpenCatalog;
let above: RoomAbove;
let databases: DatabasesService;
let shop: Database;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'backstop-removal-'));
  const schema = {
    entities: [Database, EventCounter, EventTotal, RecordedEvent],
    migrations: MIGRATIONS,
  };
  open = await openCatalog({ kind: 'sqlite', path: path.join(folder, 'backup.db') }, schema);
  above = new RoomAbove();
  const dependents = new DatabaseDependents();
  dependents.add(new RoomAbove());
  dependents.add(above);
  const secrets = new DatabaseSecrets(
    new SecretBox(await deriveSecretKey('an obviously fake passphrase for tests')),
  );
  databases = new DatabasesService(
    open.catalog,
    new EngineRegistry([]),
    secrets,
    dependents,
    new SystemClock(),
    new EventLog(open.catalog, new SystemClock()),
  );
  const now = new Date('2026-11-21T03:00:00Z');
  shop = Object.assign(new Database(), {
    id: v7(),
    name: 'shop',
    engine: 'postgres',
    host: 'db',
    port: 5432,
    databaseName: 'shop',
    username: null,
    usernameVar: null,
    passwordSealed: null,
    passwordVar: null,
    parameters: {},
    tls: { mode: 'prefer' },
    options: {},
    retention: {},
    createdAt: now,
    updatedAt: now,
    idempotencyKey: null,
    requestMark: null,
  } satisfies Database);
  await open.catalog.write((tx) => insertDatabase(tx, shop));
});

afterEach(async () => {
  await open.close();
  await rm(folder, { recursive: true });
});

describe('removing a database', () => {
  it.each(['keep', 'delete'] as const)(
    'tells the rooms above what becomes of its backups: %s',
    async (backups) => {
      await databases.remove('shop', backups);
      expect(above.removals).toEqual([{ databaseId: shop.id, backups }]);
      await expect(databases.get('shop')).rejects.toThrow(
        expect.objectContaining({ code: 'database-not-found' }),
      );
    },
  );

  it('is refused while work on it is not over, with all of it named', async () => {
    above.active = [
      { kind: 'backup', id: 'b1' },
      { kind: 'restore', id: 'r1' },
    ];
    await expect(databases.remove('shop', 'delete')).rejects.toThrow(
      expect.objectContaining({ code: 'database-busy', facts: { active: above.active } }),
    );
    expect(above.removals).toEqual([]);
    expect(await databases.get('shop')).toEqual(shop);
  });

  it('is undone as a whole when a room above refuses its part', async () => {
    above.complaint = new Error('one of its backups is locked');
    await expect(databases.remove('shop', 'delete')).rejects.toThrow('locked');
    expect(await databases.get('shop')).toEqual(shop);
  });
});
