import {
  appendFile,
  chmod,
  copyFile,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { MARK_KEY } from '../../src/storage/marked-storage.ts';
import { freshDatabase, newestPostgresServer, sql } from '../support/postgres-servers.ts';
import { archivePath, completedRestore, dropDatabasesLike } from '../support/restores.ts';
import { processesOf, type Service, startService } from '../support/service.ts';
import { type BackupBody, completedBackup, freshShop, register } from '../support/shop.ts';
import {
  askVerification,
  endedVerification,
  type VerificationBody,
  verificationIn,
} from '../support/verifications.ts';

const server = newestPostgresServer();
const env = { PG_BIN_DIRS: server.clientBinDirs.join(':') };
const LEVELS = ['intact', 'readable'] as const;

let service: Service;
let shop: Awaited<ReturnType<typeof freshShop>>;
let databaseId: string;
let backup: BackupBody;

beforeAll(async () => {
  shop = await freshShop(server);
  service = await startService({ env });
  databaseId = await register(service, server, shop.name, 'shop', { options: { include_roles: true } });
});
afterAll(async () => {
  await service?.stop();
  await dropDatabasesLike(server, shop.name);
});

const now = async (id = backup.id): Promise<BackupBody> =>
  (await service.request<BackupBody>('GET', `/backups/${id}`)).body;
const path = (of = backup): string => archivePath(service, 'shop', of);

describe('a good backup', () => {
  beforeEach(async () => {
    backup = await completedBackup(service, 'shop');
  });

  test.each([
    { level: 'intact', rung: 1 },
    { level: 'readable', rung: 2 },
  ])('passes as $level, and its evidence says so', async ({ level, rung }) => {
    const asked = await askVerification(service, backup.filename, { level });
    expect(asked.status).toBe(202);
    expect(asked.headers.get('location')).toBe(`/verifications/${asked.body.id}`);
    expect(asked.body).toMatchObject({ status: 'queued', outcome: null, level, level_reached: null });
    const done = await verificationIn(service, asked.body.id, 'completed', 'failed');
    expect(done).toMatchObject({
      backup_id: backup.id,
      database_id: databaseId,
      database_name: 'shop',
      status: 'completed',
      outcome: 'passed',
      level,
      level_reached: level,
      trigger: 'manual',
      attempt: 1,
      duration_seconds: expect.any(Number),
      copies: [{ destination: 'local', key: backup.copies[0]!.key, outcome: 'passed', level, error: null }],
      error: null,
    });
    expect(done).not.toHaveProperty('progress');
    expect((await now()).evidence).toMatchObject({
      level: rung,
      name: level,
      at: expect.any(String),
      restore_seconds: null,
    });
  });

  test('is read by its engine when nobody says how far', async () => {
    const asked = await service.request<VerificationBody>('POST', `/backups/${backup.id}/verify`);
    expect(asked).toMatchObject({ status: 202, body: { level: 'readable' } });
    expect(await verificationIn(service, asked.body.id, 'completed', 'failed')).toMatchObject({
      outcome: 'passed',
    });
  });

  test('keeps what it has been shown to be: evidence is never lowered', async () => {
    await endedVerification(service, backup.id);
    await endedVerification(service, backup.id, { level: 'intact' });
    expect((await now()).evidence).toMatchObject({ name: 'readable' });
    await completedRestore(service, backup.id);
    const proven = (await now()).evidence;
    expect(proven).toMatchObject({ name: 'proven' });
    await endedVerification(service, backup.id);
    expect((await now()).evidence).toEqual(proven);
  });

  test.each([{ format: 'plain' }, { compression: 'gzip' }, { compression: 'none' }])(
    'passes however it was made: %j',
    async (options) => {
      const name = Object.values(options).join();
      await register(service, server, shop.name, name, { options });
      const made = await completedBackup(service, name);
      const done = await endedVerification(service, made.id);
      expect(done).toMatchObject({ status: 'completed', level_reached: 'readable' });
    },
  );
});

describe('a copy that is bad', () => {
  let other: BackupBody;
  beforeEach(async () => {
    other = await completedBackup(service, 'shop');
    backup = await completedBackup(service, 'shop');
    await endedVerification(service, backup.id);
  });

  const roles = (): string => path().replace(/\.dump\.zst$/, '.roles.sql.zst');

  const DAMAGES = [
    { name: 'one bit is another', spoil: () => flipBit(path()), code: 'archive-damaged' },
    { name: 'it was cut', spoil: () => cut(path()), code: 'archive-damaged' },
    { name: 'it was lengthened', spoil: () => appendFile(path(), 'x'), code: 'archive-damaged' },
    { name: 'it is gone', spoil: () => rm(path()), code: 'archive-missing' },
    { name: 'another one lies in its place', spoil: swapWithOther, code: 'archive-damaged' },
    { name: 'a bit of its roles is another', spoil: () => flipBit(roles()), code: 'archive-damaged' },
    { name: 'its roles are gone', spoil: () => rm(roles()), code: 'archive-missing' },
    { name: 'its manifest was changed', spoil: changeManifest, code: 'manifest-changed' },
    { name: 'its manifest was cut', spoil: () => cut(`${path()}.manifest.json`), code: 'manifest-changed' },
    {
      name: 'its manifest is gone',
      spoil: () => rm(`${path()}.manifest.json`),
      code: 'storage-object-missing',
    },
  ];

  describe.each(LEVELS)('is found as %s', (level) => {
    test.each(DAMAGES)('$name: $code', async ({ spoil, code }) => {
      await spoil();
      const done = await endedVerification(service, backup.id, { level });
      expect(done).toMatchObject({
        status: 'failed',
        outcome: 'failed',
        level_reached: null,
        error: { code, retryable: false },
        copies: [{ outcome: 'failed', level: null, error: { code } }],
      });
      const state = /missing/.test(code) ? 'missing' : 'damaged';
      expect(await now()).toMatchObject({ evidence: null, copies: [{ state, fault: { code } }] });
    });
  });

  test('is called damaged when its engine refuses it before its end has shown that', async () => {
    // So long that the engine refuses its beginning long before its last byte is read.
    await using long = await freshDatabase(server, 'long');
    await sql(
      server,
      long.name,
      `CREATE TABLE bulk AS SELECT i, repeat(md5(i::text), 100) AS noise FROM generate_series(1, 2000) i`,
    );
    await register(service, server, long.name, 'bare', { options: { compression: 'none' } });
    const bare = await completedBackup(service, 'bare');
    await flipBit(archivePath(service, 'bare', bare), 0);
    expect(await endedVerification(service, bare.id)).toMatchObject({
      outcome: 'failed',
      error: { code: 'archive-damaged' },
    });
    expect((await now(bare.id)).copies).toMatchObject([{ state: 'damaged' }]);
  });

  test('is good again when it was mended, and has the evidence of what was shown', async () => {
    await rename(path(), `${path()}.aside`);
    await endedVerification(service, backup.id);
    expect((await now()).evidence).toBeNull();
    await rename(`${path()}.aside`, path());
    expect(await endedVerification(service, backup.id)).toMatchObject({ outcome: 'passed' });
    expect(await now()).toMatchObject({ evidence: { name: 'readable' }, copies: [{ state: 'stored' }] });
  });

  /** Of the same size, so that nothing but its bytes can tell. */
  async function swapWithOther(): Promise<void> {
    const { size } = await stat(path());
    await copyFile(path(other), path());
    await truncate(path(), size);
  }
  async function changeManifest(): Promise<void> {
    const manifest = `${path()}.manifest.json`;
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"attempt":', '"attempt": '));
  }
});

describe('what could not be looked at', () => {
  let undo: AsyncDisposableStack;
  beforeEach(async () => {
    undo = new AsyncDisposableStack();
    backup = await completedBackup(service, 'shop');
    await endedVerification(service, backup.id, { level: 'intact' });
  });
  afterEach(async () => undo.disposeAsync());

  /** Nothing is said against the copy, and nothing for it. */
  async function expectUnknown(done: VerificationBody, code: string): Promise<void> {
    expect(done).toMatchObject({
      status: 'failed',
      outcome: 'unknown',
      level_reached: null,
      error: { code },
    });
    const copies = [{ state: 'stored' }];
    expect(await now()).toMatchObject({ evidence: { name: 'intact' }, copies });
    expect((await now()).copies[0]).not.toHaveProperty('fault');
  }

  test.each(LEVELS)('its destination is away (%s)', async (level) => {
    const folder = join(service.dataDir, 'data', 'backups');
    await rename(folder, `${folder}.away`);
    undo.defer(() => rename(`${folder}.away`, folder));
    const done = await endedVerification(service, backup.id, { level });
    await undo.disposeAsync();
    await expectUnknown(done, 'storage-unavailable');
    expect(done.error?.retryable).toBe(true);
  });

  test.each(LEVELS)('another folder lies in the place of its destination (%s)', async (level) => {
    const mark = join(service.dataDir, 'data', 'backups', MARK_KEY);
    await rename(mark, `${mark}.aside`);
    undo.defer(() => rename(`${mark}.aside`, mark));
    const done = await endedVerification(service, backup.id, { level });
    await undo.disposeAsync();
    await expectUnknown(done, 'storage-unavailable');
  });

  test.each([
    {
      name: 'somebody kills its tool: nothing is known',
      end: 'kill -9 $$',
      found: { outcome: 'unknown', level_reached: null, error: { code: 'tool-failed' } },
    },
    {
      name: 'its tool has no memory: nothing is known',
      end: 'echo "pg_restore: error: out of memory" >&2; exit 1',
      found: { outcome: 'unknown', level_reached: null, error: { code: 'tool-failed' } },
    },
    {
      name: 'its tool refuses the right bytes: that is found, and nothing is taken from what was stored',
      end: 'echo "pg_restore: error: could not read from input file: end of file" >&2; exit 1',
      found: { outcome: 'failed', level_reached: 'intact', error: { code: 'archive-unreadable' } },
    },
  ])('$name', async ({ end, found }) => {
    const failing = undo.use(await startService({ env: { PG_BIN_DIRS: await toolsWith(end) } }));
    await register(failing, server, shop.name, 'shop');
    const made = await completedBackup(failing, 'shop');
    expect(await endedVerification(failing, made.id)).toMatchObject({ status: 'failed', ...found });
    const { body } = await failing.request<BackupBody>('GET', `/backups/${made.id}`);
    expect(body).toMatchObject({ evidence: { name: 'stored' }, copies: [{ state: 'stored' }] });
    expect(body.copies[0]).not.toHaveProperty('fault');
    const done = await endedVerification(failing, made.id, { level: 'intact' });
    expect(done).toMatchObject({ outcome: 'passed' });
  });

  test('its tool refuses once what it reads well the second time: the bytes are right, and it passes', async () => {
    const end = 'if mkdir "$0.once" 2>/dev/null; then echo "pg_restore: error: bad dumpId" >&2; exit 1; fi';
    const failing = undo.use(await startService({ env: { PG_BIN_DIRS: await toolsWith(end) } }));
    await register(failing, server, shop.name, 'shop');
    const made = await completedBackup(failing, 'shop');
    expect(await endedVerification(failing, made.id)).toMatchObject({
      status: 'completed',
      outcome: 'passed',
      level_reached: 'readable',
    });
  });

  /** The newest tools, of which `pg_restore` does not read what it is given. */
  async function toolsWith(end: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'backstop-tools-'));
    undo.defer(() => rm(folder, { recursive: true }));
    const real = server.clientBinDirs.at(-1)!;
    for (const name of ['pg_dump', 'pg_dumpall', 'pg_restore']) {
      const instead = name === 'pg_restore' ? `case "$*" in *--version*) ;; *) ${end};; esac` : '';
      const file = join(folder, name);
      await writeFile(file, `#!/bin/sh\n${instead}\nexec ${real}/${name} "$@"\n`);
      await chmod(file, 0o755);
    }
    return folder;
  }
});

describe('requests that cannot be', () => {
  beforeAll(async () => {
    backup = await completedBackup(service, 'shop');
  });

  test.each(['restorable', 'proven', 'accepted'])(
    '%s needs a scratch server, and says what there is',
    async (level) => {
      const answer = await askVerification(service, backup.id, { level });
      expect(answer).toMatchObject({ status: 422, body: { code: 'verification-level-unavailable' } });
      expect(answer.text).toContain(`POST /backups/${backup.id}/restore`);
      expect(answer.text).toContain('proven');
    },
  );

  test.each([{ level: 'stored' }, { level: 'good' }, { level: 2 }, { level: ['intact'] }, { scratch: true }])(
    '%j',
    async (body) => {
      const answer = await askVerification(service, backup.id, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    },
  );

  test('of a backup that is not there, or not completed', async () => {
    const absent = await askVerification(service, 'nothing.dump.zst');
    expect(absent).toMatchObject({ status: 404, body: { code: 'backup-not-found' } });
    const gone = await completedBackup(service, 'shop');
    await service.request('DELETE', `/backups/${gone.id}?force=true`);
    const answer = await askVerification(service, gone.id);
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'backup-not-in-state', facts: { status: 'expired' } },
    });
  });

  test('of a verification that is not there, or has ended', async () => {
    for (const [method, rest] of [
      ['GET', ''],
      ['POST', '/cancel'],
    ] as const) {
      const answer = await service.request(method, `/verifications/nothing${rest}`);
      expect(answer).toMatchObject({ status: 404, body: { code: 'verification-not-found' } });
    }
    const done = await endedVerification(service, backup.id);
    const late = await service.request('POST', `/verifications/${done.id}/cancel`);
    expect(late).toMatchObject({ status: 409, body: { code: 'verification-not-in-state' } });
  });
});

describe('a repeated Idempotency-Key', () => {
  beforeAll(async () => {
    backup = await completedBackup(service, 'shop');
  });

  test('gives the first record, also when both come at once', async () => {
    const key = { 'idempotency-key': 'verify-twice' };
    const both = await Promise.all([
      askVerification(service, backup.id, {}, key),
      askVerification(service, backup.id, { level: 'readable' }, key),
    ]);
    expect(both.map(({ status }) => status)).toEqual([202, 202]);
    expect(both[1].body.id).toBe(both[0].body.id);
    const again = await askVerification(service, backup.filename, {}, key);
    expect(again.body.id).toBe(both[0].body.id);
    await verificationIn(service, again.body.id, 'completed');
  });

  test('is refused for another backup, and for another level', async () => {
    const key = { 'idempotency-key': 'verify-once' };
    const first = await askVerification(service, backup.id, { level: 'intact' }, key);
    const other = await completedBackup(service, 'shop');
    for (const answer of [
      await askVerification(service, other.id, { level: 'intact' }, key),
      await askVerification(service, backup.id, { level: 'readable' }, key),
    ]) {
      expect(answer).toMatchObject({
        status: 409,
        body: { code: 'idempotency-key-reused', facts: { verification_id: first.body.id } },
      });
    }
  });
});

describe('verifications are listed', () => {
  test('newest first, in pages, by backup, database, state and level', async () => {
    const [one, two] = [await completedBackup(service, 'shop'), await completedBackup(service, 'shop')];
    const made: string[] = [];
    for (const [id, level] of [
      [one.id, 'intact'],
      [two.id, 'readable'],
      [one.id, 'readable'],
    ] as const) {
      made.push((await endedVerification(service, id, { level })).id);
    }
    await rm(path(two));
    const failed = await endedVerification(service, two.id);
    const listed = async (query: string): Promise<string[]> => {
      const { body } = await service.request<VerificationBody[]>('GET', `/verifications?${query}`);
      return body.map(({ id }) => id);
    };
    expect(await listed(`backup_id=${one.id}`)).toEqual([made[2], made[0]]);
    expect(await listed(`backup_id=${one.id}&level=intact`)).toEqual([made[0]]);
    expect(await listed(`backup_id=${two.id}&status=failed,cancelled`)).toEqual([failed.id]);
    expect((await listed(`database_id=${databaseId}&limit=4`)).toSorted()).toEqual(
      [...made, failed.id].toSorted(),
    );
    expect(await listed(`database_id=${one.id}`)).toEqual([]);
    const first = await service.request<VerificationBody[]>(
      'GET',
      `/verifications?backup_id=${one.id}&limit=1`,
    );
    expect(first.headers.get('x-total-count')).toBe('2');
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await service.request<VerificationBody[]>('GET', next);
    expect([...first.body, ...second.body].map(({ id }) => id)).toEqual([made[2], made[0]]);
    expect(second.headers.get('link')).toBeNull();
    expect((await service.request('GET', '/verifications?level=proven')).status).toBe(400);
  });
});

test('nothing of a tool is left behind', async () => {
  expect(await processesOf(service.dataDir)).toHaveLength(1);
});

async function flipBit(file: string, at = 30): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.from([byte[0]! ^ 1]), 0, 1, at);
  } finally {
    await handle.close();
  }
}

async function cut(file: string): Promise<void> {
  await truncate(file, (await stat(file)).size - 1);
}
