import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { newestPostgresServer } from '../support/postgres-servers.ts';
import { type Service, startService } from '../support/service.ts';
import {
  backupIn,
  type BackupBody,
  completedBackup,
  freshShop,
  holdTable,
  register,
} from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let databaseId: string;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env: { PG_BIN_DIRS: server.clientBinDirs.join(':') } });
});
afterAll(async () => {
  await service?.stop();
  await shop?.drop();
});
beforeEach(async ({ task }) => {
  databaseId = await register(service, server, shop.name, task.id);
});

async function archives(name: string): Promise<string[]> {
  return readdir(join(service.dataDir, 'data', 'backups', name)).catch(() => []);
}

async function remove(query = ''): Promise<{ status: number; body: unknown }> {
  const { status, body } = await service.request('DELETE', `/databases/${databaseId}${query}`);
  return { status, body };
}

describe('removing a database that has backups', () => {
  test('is refused while one of them runs, and names it', async () => {
    const release = await holdTable(server, shop.name, 'orders');
    const backup = await service.request<BackupBody>('POST', '/backups', { database_id: databaseId });
    await backupIn(service, backup.body.id, 'running');
    for (const query of ['', '?backups=keep', '?backups=delete']) {
      expect(await remove(query)).toMatchObject({
        status: 409,
        body: { code: 'database-busy', facts: { active: [{ kind: 'backup', id: backup.body.id }] } },
      });
    }
    await release();
    expect((await backupIn(service, backup.body.id, 'completed', 'failed')).status).toBe('completed');
    expect((await remove()).status).toBe(204);
  });

  test('keeps them and their archives, whole, unless told otherwise', async ({ task }) => {
    const backup = await completedBackup(service, databaseId);
    const before = await archives(task.id);
    expect(before).toContain(backup.filename);
    expect((await remove()).status).toBe(204);

    const kept = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
    expect(kept.body).toMatchObject({ status: 'completed', database_name: task.id, sha256: backup.sha256 });
    expect(await archives(task.id)).toEqual(before);
    const download = await service.request('GET', `/backups/${backup.id}/download`);
    expect(download.status).toBe(200);
  });

  test('deletes all of them, whatever became of them, when told to', async ({ task }) => {
    const release = await holdTable(server, shop.name, 'orders');
    const cancelled = await service.request<BackupBody>('POST', '/backups', { database_id: databaseId });
    await backupIn(service, cancelled.body.id, 'running');
    await service.request('POST', `/backups/${cancelled.body.id}/cancel`);
    await backupIn(service, cancelled.body.id, 'cancelled');
    await release();
    const completed = [
      await completedBackup(service, databaseId),
      await completedBackup(service, databaseId),
    ];
    expect(await archives(task.id)).not.toEqual([]);

    expect((await remove('?backups=delete')).status).toBe(204);
    for (const { id } of completed) await backupIn(service, id, 'expired');
    await until('the archives to be gone', async () => (await archives(task.id)).length === 0);
    expect((await service.request('GET', `/databases/${databaseId}`)).status).toBe(404);
  });

  test('changes nothing when one of them is locked', async ({ task }) => {
    const backup = await completedBackup(service, databaseId);
    await service.request('PATCH', `/backups/${backup.id}`, { locked: true });
    const before = await archives(task.id);
    expect(await remove('?backups=delete')).toMatchObject({ status: 409, body: { code: 'backup-locked' } });
    expect((await service.request('GET', `/databases/${databaseId}`)).status).toBe(200);
    expect((await service.request<BackupBody>('GET', `/backups/${backup.id}`)).body.status).toBe('completed');
    expect(await archives(task.id)).toEqual(before);
  });
});
