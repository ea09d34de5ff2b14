import { randomBytes } from 'node:crypto';
import { copyFile, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freshDatabase, newestPostgresServer, postgresServers, sql } from '../support/postgres-servers.ts';
import {
  archivePath,
  askRestore,
  databasesLike,
  dropDatabasesLike,
  endedRestore,
  heldDatabase,
  restoreIn,
} from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let backup: BackupBody;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env });
  await register(service, server, shop.name, 'shop');
  backup = await completedBackup(service, 'shop');
});
afterAll(async () => {
  await service?.stop();
  await dropDatabasesLike(server, shop.name);
});

describe('requests that cannot be', () => {
  test.each([
    { body: { target: { database_name: '' } }, status: 400, code: 'remote-name-invalid' },
    { body: { target: { database_name: 'x'.repeat(64) } }, status: 400, code: 'remote-name-invalid' },
    { body: { target: { database_name: 'a\0b' } }, status: 400, code: 'invalid-request' },
    { body: { target: { database_id: 'nobody' } }, status: 404, code: 'database-not-found' },
    { body: { target: { connection: { username: 'x' } } }, status: 400, code: 'connection-incomplete' },
    {
      body: { target: { database_id: 'shop', connection: { host: 'localhost' } } },
      status: 400,
      code: 'restore-target-ambiguous',
    },
    { body: { tables: ['public.nothing'] }, status: 400, code: 'tables-unknown' },
    { body: { tables: [] }, status: 400, code: 'invalid-request' },
    { body: { jobs: 0 }, status: 400, code: 'invalid-request' },
    { body: { jobs: 17 }, status: 400, code: 'invalid-request' },
    { body: { mode: 'over' }, status: 400, code: 'invalid-request' },
    { body: { overwrite: true }, status: 400, code: 'invalid-request' },
  ])('$code: $body', async ({ body, status, code }) => {
    const answer = await askRestore(service, backup.id, body);
    expect(answer.body).toMatchObject({ status, code });
    expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
  });

  test.each([
    { body: {}, status: 400, code: 'backup-not-chosen' },
    { body: { backup_id: 'x', filename: 'y' }, status: 400, code: 'backup-not-chosen' },
    { body: { filename: 'nothing.dump.zst' }, status: 404, code: 'backup-not-found' },
  ])('POST /backups/restore $body is $code', async ({ body, status, code }) => {
    const answer = await service.request('POST', '/backups/restore', body);
    expect(answer.body).toMatchObject({ status, code });
  });

  test('a name that exists is told at once', async () => {
    const answer = await askRestore(service, backup.id, { target: { database_name: shop.name } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'target-database-exists' } });
    expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
  });

  test('a name that comes to exist while it is restored fails it, and is left alone', async () => {
    await using held = await heldDatabase(server, 'late');
    await register(service, server, held.name, 'late');
    const taken = await completedBackup(service, 'late');
    await held.hold();
    const target = { database_name: `${held.name} wanted` };
    const asked = await askRestore(service, taken.id, { target });
    await restoreIn(service, asked.body.id, 'running');
    await sql(server, 'postgres', `CREATE DATABASE "${target.database_name}"`);
    await sql(server, target.database_name, 'CREATE TABLE somebody_elses (id int)');
    await held.release();
    const failed = await restoreIn(service, asked.body.id, 'failed', 'completed');
    expect(failed.error?.code).toBe('target-database-exists');
    expect(await databasesLike(server, held.name)).toEqual([held.name, target.database_name]);
    expect(await sql(server, target.database_name, 'SELECT * FROM somebody_elses')).toEqual([]);
  });

  test('a second restore into the same new database is told of the first', async () => {
    await using held = await heldDatabase(server, 'twice');
    await register(service, server, held.name, 'twice');
    const taken = await completedBackup(service, 'twice');
    await held.hold();
    const target = { database_name: `${held.name} wanted` };
    const first = await askRestore(service, taken.id, { target });
    const second = await askRestore(service, taken.id, { target });
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({ code: 'restore-target-busy', facts: { restore_id: first.body.id } });
    await held.release();
    expect((await restoreIn(service, first.body.id, 'completed', 'failed')).status).toBe('completed');
  });

  test('a server that does not answer is told at once', async () => {
    const target = { connection: { host: '127.0.0.1', port: 1, username: 'x', password: 'fake-password' } };
    const answer = await askRestore(service, backup.id, { target });
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ code: 'server-unreachable' });
    expect(answer.text).not.toContain('fake-password');
  });
});

describe('servers that cannot take it', () => {
  const older = postgresServers().find(({ major }) => major < server.major);

  test('an older one refuses before anything is made', async (context) => {
    context.skip(older === undefined, 'needs an older PostgreSQL in this run');
    if (older === undefined) return;
    await register(service, older, 'postgres', `older-${older.major}`);
    const failed = await endedRestore(service, backup.id, {
      target: { database_id: `older-${older.major}` },
    });
    expect(failed).toMatchObject({
      status: 'failed',
      error: { code: 'server-too-old' },
      unfinished_database: null,
    });
    expect(await databasesLike(older, shop.name)).toEqual([]);
  });

  test('a user without the right to create databases', async () => {
    const role = `norights_${randomBytes(6).toString('hex')}`;
    await sql(server, 'postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'fake-${role}'`);
    try {
      const { host, port } = server;
      const failed = await endedRestore(service, backup.id, {
        target: {
          connection: { host, port, username: role, password: `fake-${role}`, database_name: 'postgres' },
        },
      });
      expect(failed).toMatchObject({ status: 'failed', error: { code: 'permission-denied' } });
      expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
    } finally {
      await sql(server, 'postgres', `DROP ROLE ${role}`);
    }
  });
});

describe('a copy that does not come out equal', () => {
  test('is dropped, told row by row, and proves nothing; the live one stays', async () => {
    // Loading a row of one table adds a row to another: the tool sees no error.
    const noisy = await freshDatabase(server, 'noisy');
    try {
      await sql(
        server,
        noisy.name,
        `CREATE TABLE public.seen (at timestamptz NOT NULL DEFAULT now());
         CREATE FUNCTION public.note() RETURNS boolean LANGUAGE plpgsql VOLATILE AS
           $$ BEGIN INSERT INTO public.seen DEFAULT VALUES; RETURN true; END $$;
         CREATE TABLE public.watched (id int CHECK (public.note()));
         INSERT INTO public.watched VALUES (1);`,
      );
      await register(service, server, noisy.name, 'noisy');
      const taken = await completedBackup(service, 'noisy');
      const differing: string[] = [];
      for (const body of [{}, { mode: 'replace', confirm: 'noisy', safety_backup: false }]) {
        const failed = await endedRestore(service, taken.id, body);
        expect(failed).toMatchObject({
          status: 'failed',
          kept_as: null,
          error: {
            code: 'restore-differs',
            facts: { differences: [{ kind: 'rows', name: 'public.seen', expected: 1, found: 2 }] },
          },
        });
        expect(await databasesLike(server, noisy.name)).toEqual([noisy.name]);
        differing.push(failed.id);
      }
      const { body } = await service.request<BackupBody>('GET', `/backups/${taken.id}`);
      // The archive is what was stored, so its evidence stays; who looks at the backup learns of it.
      expect(body.evidence?.name).toBe('stored');
      expect(body).toMatchObject({ difference: { restore_id: differing[1], at: expect.any(String) } });
      const metrics = (await service.request('GET', '/metrics')).text;
      expect(metrics).toContain('restore_differs_total{database="noisy"} 2');
    } finally {
      await dropDatabasesLike(server, noisy.name);
    }
  });
});

describe('archives that are not what was stored', () => {
  /** A backup of its own, damaged by `damage`, and what a restore of it came to. */
  async function refused(
    damage: (path: string, other: string) => Promise<void>,
  ): Promise<string | undefined> {
    const mine = await completedBackup(service, 'shop');
    // Within one second the dump of unchanged data is the same to the last byte.
    await sql(server, shop.name, `UPDATE customers SET name = reverse(name)`);
    const other = await completedBackup(service, 'shop');
    const path = archivePath(service, 'shop', mine);
    await damage(path, archivePath(service, 'shop', other));
    const asked = await askRestore(service, mine.id);
    const code =
      asked.status === 202
        ? (await restoreIn(service, asked.body.id, 'failed', 'completed')).error?.code
        : asked.body.code;
    expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
    return code;
  }

  test('one that is truncated by a single byte', async () => {
    const code = await refused(async (path) => truncate(path, (await stat(path)).size - 1));
    expect(code).toBe('archive-damaged');
  });

  test('one that is cut in half', async () => {
    const code = await refused(async (path) => truncate(path, Math.floor((await stat(path)).size / 2)));
    expect(code).toBe('archive-damaged');
  });

  test.each([0, 0.5, 0.999])('one with a single bit flipped at %d of it', async (where) => {
    const code = await refused(async (path) => flipBit(path, where));
    expect(code).toBe('archive-damaged');
  });

  test('one that something was added to', async () => {
    expect(await refused(async (path) => writeFile(path, 'x', { flag: 'a' }))).toBe('archive-damaged');
  });

  test('one that was replaced by another good archive', async () => {
    expect(await refused(async (path, other) => copyFile(other, path))).toBe('archive-damaged');
  });

  test('one that was replaced by noise of the same size', async () => {
    const code = await refused(async (path) => writeFile(path, randomBytes((await stat(path)).size)));
    expect(code).toBe('archive-damaged');
  });

  test('one that is gone', async () => {
    expect(await refused(async (path) => rm(path))).toBe('archive-missing');
  });

  test('a manifest that was edited', async () => {
    const code = await refused(async (path) => {
      const manifest = `${path}.manifest.json`;
      const text = await readFile(manifest, 'utf8');
      await writeFile(manifest, text.replace('"rows": 2000', '"rows": 2001'));
      expect(await readFile(manifest, 'utf8')).not.toBe(text);
    });
    expect(code).toBe('manifest-changed');
  });

  test('a manifest of another backup', async () => {
    const code = await refused(async (path, other) =>
      copyFile(`${other}.manifest.json`, `${path}.manifest.json`),
    );
    expect(code).toBe('manifest-changed');
  });

  test('with replace, none of them touches the live database', async () => {
    const identity = (): Promise<unknown> =>
      sql(server, 'postgres', 'SELECT oid, datname FROM pg_database WHERE datname = $1', [shop.name]);
    const before = await identity();
    const mine = await completedBackup(service, 'shop');
    await sql(server, shop.name, `UPDATE customers SET name = reverse(name)`);
    const other = await completedBackup(service, 'shop');
    const [path, otherPath] = [mine, other].map((backup) => archivePath(service, 'shop', backup)) as [
      string,
      string,
    ];
    const good = { archive: await readFile(path), manifest: await readFile(`${path}.manifest.json`) };
    const damages: [string, () => Promise<void>][] = [
      ['archive-damaged', async () => truncate(path, good.archive.length - 1)],
      ['archive-damaged', async () => flipBit(path, 0.5)],
      ['archive-damaged', async () => writeFile(path, Buffer.alloc(good.archive.length, 1))],
      ['archive-damaged', async () => copyFile(otherPath, path)],
      ['manifest-changed', async () => copyFile(`${otherPath}.manifest.json`, `${path}.manifest.json`)],
      ['manifest-changed', async () => flipBit(`${path}.manifest.json`, 0.5)],
    ];
    for (const [code, damage] of damages) {
      await writeFile(path, good.archive);
      await writeFile(`${path}.manifest.json`, good.manifest);
      await damage();
      const asked = await askRestore(service, mine.id, {
        mode: 'replace',
        confirm: 'shop',
        safety_backup: false,
      });
      const found =
        asked.status === 202
          ? (await restoreIn(service, asked.body.id, 'failed', 'completed')).error?.code
          : asked.body.code;
      expect(found).toBe(code);
      expect(await databasesLike(server, shop.name)).toEqual([shop.name]);
      expect(await identity()).toEqual(before);
    }
  });

  test('a manifest that is gone', async () => {
    expect(await refused(async (path) => rm(`${path}.manifest.json`))).toBe('storage-object-missing');
  });
});

async function flipBit(path: string, where: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const position = Math.floor(((await file.stat()).size - 1) * where);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}
