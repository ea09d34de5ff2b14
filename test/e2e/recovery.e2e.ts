import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { v7 as uuidv7 } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { BackupCopy } from '../../src/backups/backup-copy.entity.ts';
import { BackupLog } from '../../src/backups/backup-log.entity.ts';
import { Backup } from '../../src/backups/backup.entity.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { Ticket } from '../../src/queue/ticket.entity.ts';
import { type FreshDatabase, newestPostgresServer } from '../support/postgres-servers.ts';
import { startFailingService, startService } from '../support/service.ts';
import { backupIn, type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), RETRY_BACKOFF_SECONDS: '1' };
/** What a service left that was killed with one completed backup. Each test goes on with a copy of it. */
let left: string;
let data: string;
let shop: FreshDatabase;
let backup: BackupBody;

beforeAll(async () => {
  left = await mkdtemp(join(tmpdir(), 'backstop-killed-'));
  shop = await freshShop(server);
  const service = await startService({ env, dataDir: left });
  await register(service, server, shop.name, 'shop');
  backup = await completedBackup(service, 'shop');
  await service.stop('SIGKILL');
});
afterAll(async () => {
  await shop.drop();
  await rm(left, { recursive: true });
});
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'backstop-recovery-'));
  await cp(left, data, { recursive: true, preserveTimestamps: true });
});
afterEach(async () => {
  await rm(data, { recursive: true });
});

/** Puts the catalog back to where it was when the attempt's objects were stored, and the row not yet moved. */
async function rewindCatalog(more: Partial<Backup> = {}): Promise<void> {
  const opened = await openCatalog(
    { kind: 'sqlite', path: join(data, 'data', 'backup.db') },
    { entities: [Backup, BackupCopy, BackupLog, Database, Ticket], migrations: MIGRATIONS },
  );
  try {
    await opened.catalog.write(async (tx) => {
      const unknown = {
        sizeBytes: null,
        sha256: null,
        manifestSha256: null,
        evidenceLevel: null,
        completedAt: null,
      };
      await tx.update(Backup, { id: backup.id }, { status: 'running', ...unknown, ...more });
      await tx.update(BackupCopy, { backupId: backup.id }, { state: 'writing' });
      await tx.insert(Ticket, {
        id: uuidv7(),
        kind: 'backup',
        subjectId: backup.id,
        exclusiveKey: 'backup:dead',
        lane: null,
        runAfter: new Date(),
        claims: 1,
        leaseToken: uuidv7(),
        leaseUntil: new Date('2100-01-01T00:00:00Z'),
      });
    });
  } finally {
    await opened.close();
  }
}

const folder = (): string => join(data, 'data', 'backups', 'shop');

/** The folder goes with its last file. */
async function filesHere(): Promise<string[]> {
  const names = await readdir(folder()).catch((): string[] => []);
  return names.toSorted();
}

async function recovered(): Promise<{ after: BackupBody; files: string[] }> {
  await using service = await startService({ env, dataDir: data });
  const after = await backupIn(service, backup.id, 'completed', 'failed', 'cancelled');
  return { after, files: await filesHere() };
}

describe('after a crash', () => {
  test('between the manifest and the row: the backup is good, and is completed from its manifest', async () => {
    await rewindCatalog();
    const { after, files } = await recovered();
    expect(after).toEqual({
      ...backup,
      started_at: expect.any(String),
      completed_at: expect.any(String),
      duration_seconds: expect.any(Number),
      evidence: { ...backup.evidence, at: expect.any(String) },
    });
    expect(files).toEqual([backup.filename, `${backup.filename}.manifest.json`]);
  });

  test('between the archive and the manifest: the archive is removed, and the backup is made again', async () => {
    await rewindCatalog();
    await rm(join(folder(), `${backup.filename}.manifest.json`));
    const { after, files } = await recovered();
    expect(after).toMatchObject({ status: 'completed', attempt: 2 });
    expect(after.filename).not.toBe(backup.filename);
    expect(files).toEqual([after.filename, `${after.filename}.manifest.json`]);
  });

  test('with a manifest beside a damaged archive: it is not believed, and the backup is made again', async () => {
    await rewindCatalog();
    const path = join(folder(), backup.filename);
    const bytes = await readFile(path);
    bytes[bytes.length - 5] = bytes[bytes.length - 5]! ^ 0x40;
    await writeFile(path, bytes);
    const { after, files } = await recovered();
    expect(after).toMatchObject({ status: 'completed', attempt: 2 });
    expect(files).toEqual([after.filename, `${after.filename}.manifest.json`]);
  });

  test('during the last attempt allowed: it fails as worker-lost, and leaves nothing', async () => {
    await rewindCatalog({ attempt: 3 });
    await rm(join(folder(), `${backup.filename}.manifest.json`));
    const { after, files } = await recovered();
    expect(after).toMatchObject({ status: 'failed', error: { code: 'worker-lost' } });
    expect(files).toEqual([]);
  });

  test('of a backup that somebody had cancelled: it is cancelled, not made', async () => {
    await rewindCatalog({ cancelRequested: true });
    await rm(join(folder(), `${backup.filename}.manifest.json`));
    const { after, files } = await recovered();
    expect(after.status).toBe('cancelled');
    expect(files).toEqual([]);
  });

  test('files that no row names stay, whatever they are called', async () => {
    await rewindCatalog();
    await rm(join(folder(), `${backup.filename}.manifest.json`));
    const foreign = ['backup_shop_20200101_000000.dump.zst', 'notes.txt', 'backup.tmp'];
    for (const name of foreign) await writeFile(join(folder(), name), 'not ours');
    const { after, files } = await recovered();
    const ours = [after.filename, `${after.filename}.manifest.json`];
    expect(files).toEqual([...ours, ...foreign].toSorted());
  });

  test('a start that fails begins nothing, and uses up no attempt', async () => {
    await rewindCatalog();
    await rm(join(folder(), `${backup.filename}.manifest.json`));
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = await startFailingService({ env: { ...env, PORT: String(port) }, dataDir: data });
    expect(taken.stderr).toContain('Another program listens on PORT already');
    other.close();
    const wrong = { POSTGRES_HOST: 'db', POSTGRES_DB: 'other', POSTGRES_PORT: 'five' };
    const refused = await startFailingService({ env: { ...env, ...wrong }, dataDir: data });
    expect(refused.stderr).toContain('environment-database-invalid');
    expect((await recovered()).after).toMatchObject({ status: 'completed', attempt: 2 });
  });

  test('without its key file: says at the start whose passwords it cannot open', async () => {
    await rm(join(data, 'data', 'secret.key'));
    await using service = await startService({ env, dataDir: data });
    expect(service.logs()).toContainEqual(
      expect.objectContaining({ level: 'error', database: 'shop', code: 'secret-key-mismatch' }),
    );
  });

  test('in the middle of a removal: it is finished, and nothing else is touched', async () => {
    const opened = await openCatalog(
      { kind: 'sqlite', path: join(data, 'data', 'backup.db') },
      { entities: [Backup, BackupCopy, BackupLog, Database, Ticket], migrations: MIGRATIONS },
    );
    await opened.catalog.write(async (tx) => {
      await tx.update(Backup, { id: backup.id }, { status: 'expiring' });
      await tx.update(BackupCopy, { backupId: backup.id }, { state: 'discarding' });
      await tx.insert(Ticket, {
        id: uuidv7(),
        kind: 'backup-removal',
        subjectId: backup.id,
        runAfter: new Date(),
        claims: 1,
        leaseToken: uuidv7(),
        leaseUntil: new Date('2100-01-01T00:00:00Z'),
      });
    });
    await opened.close();
    await rm(join(folder(), backup.filename));
    await writeFile(join(folder(), 'notes.txt'), 'not ours');
    await using service = await startService({ env, dataDir: data });
    await backupIn(service, backup.id, 'expired');
    await until('the objects to go', async () => (await readdir(folder())).length === 1);
    expect(await readdir(folder())).toEqual(['notes.txt']);
  });
});
