import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { startProxy } from '../support/tcp-proxy.ts';
import {
  askRestore,
  countRows,
  databasesLike,
  type HeldDatabase,
  heldDatabase,
  type RestoreBody,
  restoreIn,
  standsStill,
  workFiles,
} from '../support/restores.ts';
import { processesOf, type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, register } from '../support/shop.ts';
import { until } from '../support/until.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':'), SHUTDOWN_GRACE_SECONDS: '0', LEASE_SECONDS: '2' };

let dataDir: string;
let service: Service;
let held: HeldDatabase;
let backup: BackupBody;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'backstop-restore-'));
  held = await heldDatabase(server, 'held');
  service = await startService({ env, dataDir });
  await register(service, server, held.name, 'held');
  backup = await completedBackup(service, 'held');
  await held.hold();
});
afterEach(async () => {
  await service?.stop('SIGKILL');
  await held?.drop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Nothing of a restore is left: no process, no database, no temporary file. */
async function expectNothingLeft(): Promise<void> {
  expect(await databasesLike(server, held.name)).toEqual([held.name]);
  expect(await workFiles(dataDir)).toEqual([]);
  const tools = (await processesOf(dataDir)).filter((line) => !line.startsWith(`${service.pid} `));
  expect(tools).toEqual([]);
}

describe('cancelling', () => {
  test.each([{ jobs: 1 }, { jobs: 2 }])(
    'while it is loaded leaves nothing, within 5 s: %j',
    async (choice) => {
      const asked = await askRestore(service, backup.id, choice);
      await standsStill(service, server, asked.body.id);
      const startedMs = performance.now();
      const answer = await service.request('POST', `/restores/${asked.body.id}/cancel`);
      expect(answer.status).toBe(202);
      const cancelled = await restoreIn(service, asked.body.id, 'cancelled', 'failed', 'completed');
      expect(performance.now() - startedMs).toBeLessThan(5_000);
      expect(cancelled).toMatchObject({
        status: 'cancelled',
        unfinished_database: null,
        error: { code: 'restore-cancelled' },
      });
      await expectNothingLeft();
      const again = await service.request('POST', `/restores/${asked.body.id}/cancel`);
      expect(again).toMatchObject({ status: 409, body: { code: 'restore-not-in-state' } });
    },
  );

  test('while it waits', async () => {
    const running = [await askRestore(service, backup.id), await askRestore(service, backup.id)];
    for (const { body } of running) await standsStill(service, server, body.id);
    const waiting = await askRestore(service, backup.id);
    const cancelled = await service.request('POST', `/restores/${waiting.body.id}/cancel`);
    expect(cancelled.body).toMatchObject({ status: 'cancelled', attempt: 0 });
    for (const { body } of running) await service.request('POST', `/restores/${body.id}/cancel`);
    for (const { body } of running) await restoreIn(service, body.id, 'cancelled');
    await expectNothingLeft();
  });

  test('drops what it made where it made it, though the registration leads elsewhere by now', async () => {
    const asked = await askRestore(service, backup.id);
    await standsStill(service, server, asked.body.id);
    expect(
      (await service.request('PATCH', '/databases/held', { port: 1, password: server.password })).status,
    ).toBe(200);
    await service.request('POST', `/restores/${asked.body.id}/cancel`);
    await restoreIn(service, asked.body.id, 'cancelled');
    await expectNothingLeft();
  });

  test('frees the name for the next restore', async () => {
    const target = { database_name: `${held.name} wanted` };
    const first = await askRestore(service, backup.id, { target });
    await standsStill(service, server, first.body.id);
    await service.request('POST', `/restores/${first.body.id}/cancel`);
    await restoreIn(service, first.body.id, 'cancelled');
    await held.release();
    const second = await askRestore(service, backup.id, { target });
    expect((await restoreIn(service, second.body.id, 'completed', 'failed')).status).toBe('completed');
  });
});

describe('what a restore needs', () => {
  test('can be deleted neither as a backup nor as a registration, while it is restored', async () => {
    const asked = await askRestore(service, backup.id);
    await standsStill(service, server, asked.body.id);
    const active = [{ kind: 'restore', id: asked.body.id }];
    const kept = await service.request('DELETE', `/backups/${backup.id}?force=true`);
    expect(kept.body).toMatchObject({ status: 409, code: 'backup-in-use', facts: { active } });
    const busy = await service.request('DELETE', '/databases/held');
    expect(busy.body).toMatchObject({ status: 409, code: 'database-busy', facts: { active } });
    await held.release();
    expect((await restoreIn(service, asked.body.id, 'completed', 'failed')).status).toBe('completed');
    expect((await service.request('DELETE', `/backups/${backup.id}?force=true`)).status).toBe(200);
  });
});

describe('the server goes away', () => {
  test('while loading: the restore fails, and its database is dropped when the server is back', async () => {
    await using proxy = await startProxy(server);
    const target = { connection: { ...proxy.address, username: server.username, password: server.password } };
    const asked = await askRestore(service, backup.id, { target });
    const halfMade = await standsStill(service, server, asked.body.id);
    await proxy.cut();
    const failed = await restoreIn(service, asked.body.id, 'failed', 'completed');
    expect(failed).toMatchObject({ status: 'failed', unfinished_database: halfMade });
    expect(failed.error?.code).toMatch(/^(connection-lost|server-unreachable)$/);
    proxy.mend();
    await until(
      'the unfinished database to be dropped',
      async () => {
        const { body } = await service.request<RestoreBody>('GET', `/restores/${asked.body.id}`);
        return body.unfinished_database === null;
      },
      40_000,
    );
    expect(await databasesLike(server, held.name)).toEqual([held.name]);
  });
});

describe('the service dies', () => {
  test('kill -9 while loading: the half-made database is dropped, and the restore made anew', async () => {
    const asked = await askRestore(service, backup.id);
    const halfMade = await standsStill(service, server, asked.body.id);
    await service.stop('SIGKILL');
    expect(await databasesLike(server, held.name)).toContain(halfMade);

    service = await startService({ env, dataDir });
    const second = await until('the second attempt', async () => {
      const { body } = await service.request<RestoreBody>('GET', `/restores/${asked.body.id}`);
      return body.attempt === 2 && body;
    });
    expect(second.status).toBe('running');
    await standsStill(service, server, asked.body.id);
    expect(await databasesLike(server, held.name)).not.toContain(halfMade);
    await held.release();
    const done = await restoreIn(service, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', attempt: 2, result: { compared: { rows: 102 } } });
    expect(await databasesLike(server, held.name)).toEqual([held.name, done.target.database_name]);
  });

  test('kill -9 while a database is being replaced: the live one stays until the copy is good', async () => {
    await sql(server, held.name, 'DELETE FROM before WHERE id > 5');
    const asked = await askRestore(service, backup.id, { mode: 'replace', confirm: 'held' });
    await standsStill(service, server, asked.body.id);
    await service.stop('SIGKILL');
    expect(await countRows(server, held.name, 'before')).toBe(5);

    service = await startService({ env, dataDir });
    await held.release();
    const done = await restoreIn(service, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', attempt: 2 });
    expect(await countRows(server, held.name, 'before')).toBe(100);
    expect(await countRows(server, done.kept_as ?? '', 'before')).toBe(5);
    expect(await databasesLike(server, held.name)).toEqual([held.name, done.kept_as]);
  });

  test('a cancel request that the dead process had taken is obeyed by the next', async () => {
    const asked = await askRestore(service, backup.id);
    await standsStill(service, server, asked.body.id);
    // The kill may come before or after the running restore has ended; either way it must end as cancelled.
    await service.request('POST', `/restores/${asked.body.id}/cancel`);
    await service.stop('SIGKILL');
    service = await startService({ env, dataDir });
    const ended = await restoreIn(service, asked.body.id, 'cancelled', 'failed', 'completed');
    expect(ended.status).toBe('cancelled');
    await expectNothingLeft();
  });

  test('a restore that kills the service every time fails in the end', async () => {
    const asked = await askRestore(service, backup.id);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await standsStill(service, server, asked.body.id);
      await service.stop('SIGKILL');
      service = await startService({ env, dataDir });
    }
    const failed = await restoreIn(service, asked.body.id, 'failed', 'completed');
    expect(failed).toMatchObject({ attempt: 3, error: { code: 'restore-worker-lost' } });
    await expectNothingLeft();
  });
});

describe('the service is stopped', () => {
  test('a running restore goes back to the queue, leaves nothing, and is made at the next start', async () => {
    const asked = await askRestore(service, backup.id);
    await standsStill(service, server, asked.body.id);
    const exit = await service.stop('SIGTERM');
    expect(exit.code).toBe(0);
    expect(await databasesLike(server, held.name)).toEqual([held.name]);
    await held.release();
    service = await startService({ env, dataDir });
    const done = await restoreIn(service, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', attempt: 2 });
  });
});
