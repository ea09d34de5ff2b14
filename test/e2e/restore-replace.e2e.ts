import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { connect, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import {
  askRestore,
  completedRestore,
  countRows,
  databasesLike,
  dropDatabasesLike,
  heldDatabase,
  type RestoreBody,
  restoreIn,
  standsStill,
} from '../support/restores.ts';
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
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), BACKUP_MAX_ATTEMPTS: '1' };
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let backup: BackupBody;
let name: string;

beforeAll(async () => {
  service = await startService({ env });
});
afterAll(async () => {
  await service?.stop();
});

beforeEach(async () => {
  shop = await freshShop(server);
  name = `shop-${shop.name.slice(-8)}`;
  await register(service, server, shop.name, name);
  backup = await completedBackup(service, name);
  await sql(server, shop.name, 'DELETE FROM orders WHERE id > 10');
});
afterEach(async () => {
  await dropDatabasesLike(server, shop.name);
});

const orders = (database: string): Promise<number> => countRows(server, database, 'orders');

describe('replacing a database', () => {
  test('backs it up, restores beside it, swaps by rename, and keeps the old one', async () => {
    await sql(server, 'postgres', `ALTER DATABASE "${shop.name}" SET work_mem = '7MB'`);
    const done = await completedRestore(service, backup.id, { mode: 'replace', confirm: name });
    expect(done.target.database_name).toBe(shop.name);
    expect(done.kept_as).toMatch(/_before_restore_\d{8}_\d{6}$/);
    expect(await orders(shop.name)).toBe(2_000);
    expect(await orders(done.kept_as ?? '')).toBe(10);
    expect(await databasesLike(server, shop.name)).toEqual([shop.name, done.kept_as]);
    const [setting] = await sql<{ work_mem: string }>(server, shop.name, 'SHOW work_mem');
    expect(setting?.work_mem).toBe('7MB');

    const safety = await service.request<BackupBody & { trigger: string }>(
      'GET',
      `/backups/${done.safety_backup_id}`,
    );
    expect(safety.body).toMatchObject({
      status: 'completed',
      trigger: 'pre_restore',
      contents: { rows: 510 },
    });
    const proven = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
    expect(proven.body.evidence?.name).toBe('proven');
  });

  test.each([{ options: { exclude_tables: ['public.empty'] } }, { options: { schemas: ['public'] } }])(
    'a backup with $options does not take its place',
    async ({ options }) => {
      const alias = `${name}-${Object.keys(options)[0]}`;
      await register(service, server, shop.name, alias, { options });
      const partial = await completedBackup(service, alias);
      const refused = await askRestore(service, partial.id, {
        mode: 'replace',
        confirm: alias,
        keep_old: false,
      });
      expect(refused).toMatchObject({ status: 422, body: { code: 'backup-partial', facts: options } });
      expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
      expect(await orders(shop.name)).toBe(10);
      expect((await completedRestore(service, partial.id)).result?.verified).toBe(true);
    },
  );

  test('the safety backup holds what the options leave out', async () => {
    const changed = await service.request('PATCH', `/databases/${name}`, {
      options: { exclude_tables: ['public.orders', 'public.spending'] },
    });
    expect(changed.status).toBe(200);
    const done = await completedRestore(service, backup.id, {
      mode: 'replace',
      confirm: name,
      keep_old: false,
    });
    const safety = await service.request<BackupBody>('GET', `/backups/${done.safety_backup_id}`);
    expect(safety.body.contents).toMatchObject({ items: 3, rows: 510 });
    const back = await completedRestore(service, safety.body.id, { mode: 'replace', confirm: name });
    expect(back.result?.verified).toBe(true);
    expect(await orders(shop.name)).toBe(10);
  });

  test('drops the old one after the swap when it is not to be kept', async () => {
    const done = await completedRestore(service, backup.id, {
      mode: 'replace',
      confirm: name,
      keep_old: false,
      safety_backup: false,
    });
    expect(done).toMatchObject({ kept_as: null, safety_backup_id: null });
    expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
    expect(await orders(shop.name)).toBe(2_000);
  });

  test('puts back a database that somebody has dropped', async () => {
    await sql(server, 'postgres', `DROP DATABASE "${shop.name}"`);
    const done = await completedRestore(service, backup.id, { mode: 'replace', confirm: name });
    expect(done).toMatchObject({ kept_as: null, safety_backup_id: null });
    expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
    expect(await orders(shop.name)).toBe(2_000);
  });

  test.each([undefined, '', 'yes', 'SHOP'])('confirm %j is not the name', async (confirm) => {
    const answer = await askRestore(service, backup.id, { mode: 'replace', confirm });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'confirmation-missing', facts: { expected: name } });
    expect(answer.text).toContain(name);
    expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
  });

  test('is not for single tables', async () => {
    const answer = await askRestore(service, backup.id, {
      mode: 'replace',
      confirm: name,
      tables: ['public.orders'],
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'tables-not-allowed' } });
  });

  test('of one that is not registered cannot have a safety backup', async () => {
    const { host, port, username, password } = server;
    const target = { connection: { host, port, username, password, database_name: shop.name } };
    const body = { mode: 'replace', confirm: shop.name, target };
    expect(await askRestore(service, backup.id, body)).toMatchObject({
      status: 400,
      body: { code: 'safety-backup-impossible' },
    });
    const done = await completedRestore(service, backup.id, { ...body, safety_backup: false });
    expect(await databasesLike(server, shop.name)).toEqual([shop.name, done.kept_as]);
    expect(await orders(shop.name)).toBe(2_000);
  });
});

describe('sessions of others', () => {
  test('are told of at once, and nothing is touched', async () => {
    const client = await connect(server, shop.name);
    try {
      const answer = await askRestore(service, backup.id, { mode: 'replace', confirm: name });
      expect(answer.status).toBe(409);
      expect(answer.body).toMatchObject({ code: 'database-in-use' });
      expect(JSON.stringify(answer.body.facts)).toContain('backstop tests');
      expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
      expect((await client.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }]);
    } finally {
      await client.end();
    }
  });

  test('are ended when that is asked for', async () => {
    const client = await connect(server, shop.name);
    const ended = new Promise<void>((resolve) => {
      client.on('end', resolve);
    });
    const done = await completedRestore(service, backup.id, {
      mode: 'replace',
      confirm: name,
      end_connections: true,
    });
    await ended;
    expect(await orders(shop.name)).toBe(2_000);
    expect(await orders(done.kept_as ?? '')).toBe(10);
  });

  test('that come while it is restored make it fail, and the live one stays', async () => {
    await using held = await heldDatabase(server, 'held');
    await register(service, server, held.name, 'held');
    const taken = await completedBackup(service, 'held');
    await sql(server, held.name, 'DELETE FROM before WHERE id > 5');
    await held.hold();
    const asked = await askRestore(service, taken.id, { mode: 'replace', confirm: 'held' });
    await standsStill(service, server, asked.body.id);
    const client = await connect(server, held.name);
    try {
      await held.release();
      const failed = await restoreIn(service, asked.body.id, 'failed', 'completed');
      expect(failed).toMatchObject({ status: 'failed', error: { code: 'database-in-use' }, kept_as: null });
      expect(await databasesLike(server, held.name)).toEqual([held.name]);
      expect(await countRows(server, held.name, 'before')).toBe(5);
    } finally {
      await client.end();
    }
  });
});

describe('a backup that runs when the names would change', () => {
  test('is waited for, and neither breaks nor is broken', async () => {
    await using held = await heldDatabase(server, 'busy');
    await register(service, server, held.name, 'busy');
    const taken = await completedBackup(service, 'busy');
    await held.hold();
    const asked = await askRestore(service, taken.id, { mode: 'replace', confirm: 'busy' });
    await standsStill(service, server, asked.body.id);
    const release = await holdTable(server, held.name, 'before');
    const running = await service.request<BackupBody>('POST', '/backups', { database_id: 'busy' });
    await backupIn(service, running.body.id, 'running');
    await held.release();
    await until('the restore to wait', async () => {
      const { body } = await service.request<RestoreBody>('GET', `/restores/${asked.body.id}`);
      return body.progress?.phase === 'swapping';
    });
    await release();
    const done = await restoreIn(service, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', error: null });
    expect((await backupIn(service, running.body.id, 'completed', 'failed')).status).toBe('completed');
  });
});

describe('the safety backup', () => {
  test('that fails keeps everything as it is', async () => {
    const patch = { options: { timeout_seconds: 1 } };
    expect((await service.request('PATCH', `/databases/${name}`, patch)).status).toBe(200);
    const blocker = await connect(server, shop.name);
    try {
      await blocker.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const asked = await askRestore(service, backup.id, {
        mode: 'replace',
        confirm: name,
        end_connections: true,
      });
      const failed = await restoreIn(service, asked.body.id, 'failed', 'completed');
      expect(failed).toMatchObject({ status: 'failed', error: { code: 'safety-backup-failed' } });
      const safety = await backupIn(service, failed.safety_backup_id ?? '', 'failed');
      expect(safety.error?.code).toBe('backup-timeout');
      expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
    } finally {
      await blocker.end();
    }
  });

  test('is cancelled with the restore that waits for it', async () => {
    const blocker = await connect(server, shop.name);
    try {
      await blocker.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      const asked = await askRestore(service, backup.id, {
        mode: 'replace',
        confirm: name,
        end_connections: true,
      });
      const safetyId = await waitForSafetyBackup(asked.body.id);
      await service.request('POST', `/restores/${asked.body.id}/cancel`);
      expect((await restoreIn(service, asked.body.id, 'cancelled', 'failed', 'completed')).status).toBe(
        'cancelled',
      );
      await backupIn(service, safetyId, 'cancelled');
      expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
    } finally {
      await blocker.end();
    }
  });
});

async function waitForSafetyBackup(restoreId: string): Promise<string> {
  return until('the safety backup to run', async () => {
    const { body } = await service.request<RestoreBody>('GET', `/restores/${restoreId}`);
    const id = body.safety_backup_id;
    if (id === null) return false;
    const safety = await service.request<BackupBody>('GET', `/backups/${id}`);
    return safety.body.status === 'running' && id;
  });
}
