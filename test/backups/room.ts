import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { v7 as uuidv7 } from 'uuid';

import { encodeManifest } from '../../src/archive/manifest-codec.ts';
import { MANIFEST_FORMAT_VERSION, type Manifest } from '../../src/archive/manifest.ts';
import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupLog } from '../../src/backups/backup-log.entity.ts';
import { BackupMoves } from '../../src/backups/backup-moves.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { CopyCleaner } from '../../src/backups/copy-cleaner.ts';
import type { CatalogLocation } from '../../src/catalog/catalog-location.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { EventCounter } from '../../src/events/event-counter.entity.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { DestinationMark } from '../../src/storage/destination-mark.entity.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { LOCAL_DESTINATION, StorageRegistry } from '../../src/storage/storage-registry.ts';
import { Verification } from '../../src/verification/verification.entity.ts';

/** A catalog and a destination without a service: for states that a running one passes through in moments. */
export interface Room extends AsyncDisposable {
  catalog: Catalog;
  storage: LocalStorage;
  storages: StorageRegistry;
  moves: BackupMoves;
  cleaner: CopyCleaner;
  /** The folder of the archives. */
  folder: string;
  /** Names of the files in the folder of the database `shop`. */
  files(): Promise<string[]>;
}

const ENTITIES = [
  Backup,
  BackupCopy,
  BackupLog,
  Database,
  DestinationMark,
  EventCounter,
  EventTotal,
  RecordedEvent,
  Ticket,
  Verification,
];

/** @param location of the catalog; a SQLite file of its own when left out */
export async function freshRoom(location?: CatalogLocation): Promise<Room> {
  const place = await mkdtemp(join(tmpdir(), 'backstop-room-'));
  const folder = join(place, 'backups');
  const opened = await openCatalog(location ?? { kind: 'sqlite', path: join(place, 'catalog.db') }, {
    entities: ENTITIES,
    migrations: MIGRATIONS,
  });
  const storage = new LocalStorage(folder);
  const storages = new StorageRegistry(new Map([[LOCAL_DESTINATION, storage]]));
  const moves = new BackupMoves(new EventLog(opened.catalog, new SystemClock()));
  return {
    catalog: opened.catalog,
    storage,
    storages,
    moves,
    cleaner: new CopyCleaner(opened.catalog, storages, moves),
    folder,
    files: async () => (await readdir(join(folder, 'shop'))).toSorted(),
    [Symbol.asyncDispose]: async () => {
      await opened.close();
      await rm(place, { recursive: true });
    },
  };
}

/** Inserts a backup; running, and in its first attempt, unless told otherwise. */
export async function insertBackup({ catalog }: Room, more: Partial<Backup> = {}): Promise<Backup> {
  const id = uuidv7();
  await catalog.write((tx) =>
    tx.insert(Backup, {
      id,
      databaseName: 'shop',
      databaseHost: 'db.example.com',
      engine: 'postgres',
      status: 'running',
      trigger: 'manual',
      locked: false,
      createdAt: new Date('2026-11-21T03:00:00Z'),
      attempt: 1,
      cancelRequested: false,
      ...more,
    }),
  );
  return catalog.read.findOneByOrFail(Backup, { id });
}

/** Inserts the copy of a backup's attempt, under the usual names; `writing` unless told otherwise. */
export async function insertCopy(
  { catalog }: Room,
  backup: Backup,
  more: Partial<BackupCopy> = {},
): Promise<BackupCopy> {
  const id = uuidv7();
  const key = `shop/backup_shop_${id}.dump`;
  const manifestKey = `${key}.manifest.json`;
  await catalog.write((tx) =>
    tx.insert(BackupCopy, {
      id,
      backupId: backup.id,
      attempt: backup.attempt,
      destination: LOCAL_DESTINATION,
      key,
      manifestKey,
      keys: [key, manifestKey],
      state: 'writing',
      createdAt: backup.createdAt,
      ...more,
    }),
  );
  return catalog.read.findOneByOrFail(BackupCopy, { id });
}

export async function storeObject({ storage }: Room, key: string, text: string): Promise<void> {
  await storage.put(key, Readable.from([Buffer.from(text)]), new AbortController().signal);
}

const DUMP = 'the bytes of a dump';

/** Stores an archive and its manifest as a finished attempt leaves them. */
export async function storeArchive(room: Room, copy: BackupCopy): Promise<void> {
  await storeObject(room, copy.key, DUMP);
  await storeObject(room, copy.manifestKey, encodeManifest(storedManifest(copy)));
}

/** The manifest that `storeArchive` stores. */
export function storedManifest(copy: BackupCopy): Manifest {
  return manifestOf(copy, DUMP);
}

/** Registers a database called `shop`; gives its id. */
export async function insertDatabase({ catalog }: Room): Promise<string> {
  const id = uuidv7();
  const at = new Date('2026-11-01T03:00:00Z');
  await catalog.write((tx) =>
    tx.insert(Database, {
      id,
      name: 'shop',
      engine: 'postgres',
      host: 'db.example.com',
      port: 5432,
      databaseName: 'shop',
      parameters: {},
      tls: { mode: 'disable' },
      options: {},
      retention: {},
      createdAt: at,
      updatedAt: at,
    }),
  );
  return id;
}

/** What the manifest of a finished attempt says. */
export function manifestOf(copy: BackupCopy, bytes: string): Manifest {
  const facts = { size_bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  const at = copy.createdAt.toISOString();
  return {
    format_version: MANIFEST_FORMAT_VERSION,
    backup_id: copy.backupId,
    attempt: copy.attempt,
    created_at: at,
    completed_at: at,
    trigger: 'manual',
    description: null,
    engine: 'postgres',
    database: { name: 'shop', database_name: 'shop', host: 'db.example.com', port: 5432 },
    server: { version: '17.6', major: 17, details: {} },
    tool: { name: 'pg_dump', version: '17.6' },
    written_by: 'backstop test',
    format: 'custom',
    options: {},
    compression: 'none',
    encryption: null,
    parts: [{ role: 'data', filename: copy.key.replace('shop/', ''), plain: facts, stored: facts }],
    content: {
      items: [],
      counters: {},
      schema: { digest: 'sha256:0', comparableWith: 'test', objects: {} },
    },
  };
}
