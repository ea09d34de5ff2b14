import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { newestPostgresServer } from '../support/postgres-servers.ts';
import { archivePath, completedRestore, dropDatabasesLike, endedRestore } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let backup: BackupBody;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env: { PG_BIN_DIRS: server.clientBinDirs.join(':') } });
  await register(service, server, shop.name, 'shop');
});
afterAll(async () => {
  await service.stop();
  await dropDatabasesLike(server, shop.name);
});
/** A proven backup, and a newer one that nobody has looked at. */
beforeEach(async () => {
  backup = await completedBackup(service, 'shop');
  await completedRestore(service, backup.id);
});

const path = (): string => archivePath(service, 'shop', backup);
const now = async (id = backup.id): Promise<BackupBody> =>
  (await service.request<BackupBody>('GET', `/backups/${id}`)).body;

async function flipBit(): Promise<void> {
  const file = await open(path(), 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 100);
    await file.write(Buffer.from([byte[0]! ^ 1]), 0, 1, 100);
  } finally {
    await file.close();
  }
}

/** A client that takes what it gets; gives whether it got all. */
async function download(query = ''): Promise<boolean> {
  try {
    const answer = await fetch(`${service.url}/backups/${backup.id}/download${query}`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function expectFault(state: string, code: string): Promise<void> {
  await until(`the copy to be ${state}`, async () => (await now()).copies[0]?.state === state);
  expect(await now()).toMatchObject({
    status: 'completed',
    evidence: null,
    copies: [{ state, fault: { code, at: expect.any(String), detail: expect.any(String) } }],
  });
}

describe('a copy that is found bad shows it', () => {
  test('damaged, found by a restore: no evidence is left, and it is whole again when it is mended', async () => {
    expect((await now()).evidence).toMatchObject({ name: 'proven' });
    const good = await readFile(path());
    await flipBit();
    expect(await endedRestore(service, backup.id)).toMatchObject({ error: { code: 'archive-damaged' } });
    await expectFault('damaged', 'archive-damaged');
    const listed = await service.request<BackupBody[]>('GET', '/backups?evidence=stored');
    expect(listed.body.map(({ id }) => id)).not.toContain(backup.id);

    await writeFile(path(), good);
    await completedRestore(service, backup.id);
    expect(await now()).toMatchObject({ evidence: { name: 'proven' }, copies: [{ state: 'stored' }] });
    expect((await now()).copies[0]).not.toHaveProperty('fault');
  });

  test('missing, found by a download, and stored again when it is put back', async () => {
    await rename(path(), `${path()}.aside`);
    expect(await download()).toBe(false);
    await expectFault('missing', 'archive-missing');
    await rename(`${path()}.aside`, path());
    expect(await download()).toBe(true);
    await until('the copy to be stored', async () => (await now()).copies[0]?.state === 'stored');
    expect((await now()).evidence).toMatchObject({ name: 'intact' });
  });

  test.each([
    { name: 'as stored', query: '', code: 'archive-damaged' },
    { name: 'decompressed', query: '?plain=true', code: 'archive-damaged' },
  ])('damaged, found by a download $name', async ({ query, code }) => {
    await flipBit();
    expect(await download(query)).toBe(false);
    await expectFault('damaged', code);
  });

  test('a manifest that was changed, found by a look at the contents', async () => {
    const manifest = `${path()}.manifest.json`;
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"attempt":', '"attempt": '));
    const answer = await service.request('GET', `/backups/${backup.id}/contents`);
    expect(answer).toMatchObject({ status: 422, body: { code: 'manifest-changed' } });
    await expectFault('damaged', 'manifest-changed');
  });

  test('a manifest that is gone, found by the request for a restore', async () => {
    await rm(`${path()}.manifest.json`);
    const answer = await service.request('POST', `/backups/${backup.id}/restore`, {});
    expect(answer).toMatchObject({ status: 404 });
    await expectFault('missing', 'storage-object-missing');
  });
});

describe('what a bad copy does not do', () => {
  test('protect itself as the newest proven backup, or unprotect the one that is', async () => {
    const older = backup;
    backup = await completedBackup(service, 'shop');
    await completedRestore(service, backup.id);
    await flipBit();
    await endedRestore(service, backup.id);
    const refused = await service.request('DELETE', `/backups/${older.id}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'backup-newest-proven' } });
    const removed = await service.request<BackupBody>('DELETE', `/backups/${backup.id}`);
    expect(removed.body.status).toBe('expired');
  });

  test('come from a client that goes away', async () => {
    const gone = new AbortController();
    const answer = await fetch(`${service.url}/backups/${backup.id}/download`, { signal: gone.signal });
    gone.abort();
    await answer.arrayBuffer().catch(() => undefined);
    expect(await download()).toBe(true);
    expect(await now()).toMatchObject({ evidence: { name: 'proven' }, copies: [{ state: 'stored' }] });
  });

  test('pass for whole when something else lies in its place', async () => {
    await writeFile(path(), randomBytes(1000));
    await endedRestore(service, backup.id);
    await expectFault('damaged', 'archive-damaged');
  });
});
