import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { zstdDecompressSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { plainCall } from '../contracts/engine-under-test.ts';
import { mongoEngine } from '../engines/mongo-under-test.ts';
import type { MongoServer } from '../support/mongo-server.ts';
import {
  type FreshMongoDatabase,
  freshMongoDatabase,
  mongoServers,
  newestMongoServer,
} from '../support/mongo-servers.ts';
import { askRestore, completedRestore } from '../support/restores.ts';
import { fillWithSample, SAMPLE_DOCUMENTS } from '../support/sample-mongo.ts';
import { type Service, startService } from '../support/service.ts';
import { backupIn, type BackupBody, completedBackup } from '../support/shop.ts';
import { endedVerification } from '../support/verifications.ts';

const DOCUMENTS = Object.values(SAMPLE_DOCUMENTS).reduce((sum, count) => sum + count, 0);

describe.runIf(mongoServers().length > 0)('MongoDB over HTTP', () => {
  let server: MongoServer;
  let shop: FreshMongoDatabase;
  let service: Service;
  let backup: BackupBody;

  function registration(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
    const { host, port, username, password } = server;
    return { name, engine: 'mongodb', host, port, username, password, database_name: shop.name, ...more };
  }

  async function register(name: string, more: Record<string, unknown> = {}): Promise<void> {
    const answer = await service.request('POST', '/databases', registration(name, more));
    expect(answer, answer.text).toMatchObject({ status: 201 });
  }

  beforeAll(async () => {
    server = newestMongoServer();
    shop = await freshMongoDatabase(server, 'e2e');
    await fillWithSample(shop.db);
    service = await startService({ env: {} });
    await register('shop', { options: { hash_content: true } });
    backup = await completedBackup(service, 'shop');
  });
  afterAll(async () => {
    await service?.stop();
    const { databases } = await shop.client.db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases) {
      if (name.startsWith(shop.name)) await shop.client.db(name).dropDatabase();
    }
    await shop[Symbol.asyncDispose]();
  });

  test('the engines are listed with what they need, can do and would use', async () => {
    const { body } = await service.request<{ engine: string; tools: object[] }[]>('GET', '/engines');
    const mongo = body.find(({ engine }) => engine === 'mongodb');
    expect(mongo).toMatchObject({
      default_port: 27_017,
      supports_whole_server: true,
      dump_tools: ['auto', 'mongodump', 'builtin'],
      connection_parameters: expect.arrayContaining([expect.objectContaining({ name: 'authSource' })]),
    });
    expect(mongo?.tools.at(-1)).toMatchObject({ name: 'builtin' });
  });

  test('the test of a connection says what is there and what it means', async () => {
    const { status, body } = await service.request<{ warnings: { code: string }[] }>(
      'POST',
      '/databases/shop/test',
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: true, table_count: Object.keys(SAMPLE_DOCUMENTS).length });
    expect(body.warnings.map(({ code }) => code).includes('no-snapshot')).toBe(
      server.replicaSet === undefined,
    );
  });

  test('a backup has every collection with its documents, hashes, source and consistency', async () => {
    expect(backup).toMatchObject({ status: 'completed', contents: { items: 9, rows: DOCUMENTS } });
    expect(backup.filename).toMatch(/\.archive\.zst$/);
    const { body } = await service.request<{
      items: { name: string; rows: number; kind: string; content_hash: string }[];
    }>('GET', `/backups/${backup.id}/contents`);
    expect(Object.fromEntries(body.items.map(({ name, rows }) => [name, rows]))).toEqual(SAMPLE_DOCUMENTS);
    expect(body.items.every((item) => item.kind === 'collection' && item.content_hash !== null)).toBe(true);
    const manifest = await service.request<{ content: { items: { name: string; expires?: true }[] } }>(
      'GET',
      `/backups/${backup.id}/manifest`,
    );
    const expiring = manifest.body.content.items.filter(({ expires }) => expires === true);
    expect(expiring.map(({ name }) => name)).toEqual(['orders']);
    expect(manifest.body).toMatchObject({
      engine: 'mongodb',
      format: 'archive',
      server: { details: { consistency: server.replicaSet === undefined ? 'none' : 'snapshot' } },
    });
  });

  test('the download is the archive, byte for byte, and whole', async () => {
    const stored = Buffer.from(
      await (await fetch(`${service.url}/backups/${backup.id}/download`)).arrayBuffer(),
    );
    expect(createHash('sha256').update(stored).digest('hex')).toBe(backup.sha256);
    const folder = await mkdtemp(join(tmpdir(), 'backstop-e2e-'));
    const plain = zstdDecompressSync(stored);
    const found = await mongoEngine(folder).inspect(Readable.from([plain]), 'archive', plainCall());
    expect(found).toEqual({ items: Object.keys(SAMPLE_DOCUMENTS).toSorted(), plainBytes: plain.length });
    await rm(folder, { recursive: true });
  });

  test('a verification reads it to its end, documents and all', async () => {
    for (const level of ['intact', 'readable']) {
      const done = await endedVerification(service, backup.id, { level });
      expect(done).toMatchObject({ status: 'completed', outcome: 'passed', level_reached: level });
    }
    const { body } = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
    expect(body.evidence).toMatchObject({ level: 2, name: 'readable' });
  });

  test('a restore makes a new database, equal to the last byte, and proves the backup', async () => {
    const done = await completedRestore(service, backup.id);
    expect(done).toMatchObject({
      unfinished_database: null,
      result: {
        verified: true,
        compared: { items: 9, rows: DOCUMENTS, hashes: 9, schema: true, expired: 0 },
      },
    });
    expect(done.target.database_name).toMatch(new RegExp(`^${shop.name}_restored_`));
    const restored = shop.client.db(done.target.database_name);
    expect(await restored.collection('orders').countDocuments()).toBe(2000);
    expect((await restored.listCollections().toArray()).map(({ name }) => name)).not.toContain(
      'backstop.restoring',
    );
    const { body } = await service.request<BackupBody>('GET', `/backups/${backup.id}`);
    expect(body.evidence).toMatchObject({ level: 4, name: 'proven' });
  });

  test('single collections come alone', async () => {
    const done = await completedRestore(service, backup.id, {
      tables: ['orders', 'with.dots and "quotes"'],
      target: { database_name: `${shop.name}_some` },
    });
    expect(done.result?.compared).toMatchObject({ items: 2, rows: 2003 });
    const names = (await shop.client.db(`${shop.name}_some`).listCollections().toArray()).map(
      ({ name }) => name,
    );
    expect(names.toSorted()).toEqual(['orders', 'with.dots and "quotes"']);
  });

  test('a database that exists is never restored into', async () => {
    const refused = await askRestore(service, backup.id, { target: { database_name: shop.name } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'target-database-exists' } });
    expect(await shop.db.collection('orders').countDocuments()).toBe(2000);
  });

  test('where the server cannot swap, a replacement is refused before anything is touched', async (context) => {
    context.skip(!server.isFerretDb, 'this server renames across databases');
    const refused = await askRestore(service, backup.id, { mode: 'replace', confirm: 'shop' });
    expect(refused).toMatchObject({ status: 422, body: { code: 'swap-unsupported' } });
  });

  test('a replacement swaps the restored database in, and keeps the old one', async (context) => {
    context.skip(server.isFerretDb, 'FerretDB cannot rename across databases');
    await using live = await freshMongoDatabase(server, 'e2e_live');
    await live.db.collection('a').insertOne({ old: true });
    await register('live', { database_name: live.name });
    const before = await completedBackup(service, 'live');
    await live.db.collection('a').insertOne({ late: true });
    const done = await completedRestore(service, before.id, { mode: 'replace', confirm: 'live' });
    expect(await live.db.collection('a').countDocuments()).toBe(1);
    expect(
      await live.client
        .db(done.kept_as ?? '')
        .collection('a')
        .countDocuments(),
    ).toBe(2);
    await live.client.db(done.kept_as ?? '').dropDatabase();
  });

  test('a backup of some collections does not take the place of the database', async () => {
    await register('part', { options: { include_tables: ['orders'] } });
    const partial = await completedBackup(service, 'part');
    const refused = await askRestore(service, partial.id, { mode: 'replace', confirm: 'part' });
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'backup-partial', facts: { include_tables: ['orders'] } },
    });
  });

  test('a choice of collections, and the whole server, are backed up as asked', async () => {
    await register('some', { options: { include_tables: ['orders', 'odd'], exclude_tables: ['odd'] } });
    expect((await completedBackup(service, 'some')).contents).toMatchObject({ items: 1, rows: 2000 });
    const name = `${shop.name}.orders`;
    await register('whole', { database_name: undefined, options: { include_tables: [name] } });
    const whole = await completedBackup(service, 'whole');
    const { body } = await service.request<{ items: object[] }>('GET', `/backups/${whole.id}/contents`);
    expect(body.items).toMatchObject([{ name, rows: 2000 }]);
    const done = await completedRestore(service, whole.id, {
      tables: [name],
      target: { database_name: `${shop.name}_of_whole` },
    });
    expect(done.result?.compared).toMatchObject({ items: 1, rows: 2000 });
  });

  test('users and roles on request are no content, and a restore proves the backup all the same', async () => {
    await register('with-users', { options: { include_roles: true, tool: 'builtin' } });
    const made = await completedBackup(service, 'with-users');
    expect(made.contents).toMatchObject({ items: 9, rows: DOCUMENTS });
    const done = await completedRestore(service, made.id, {
      target: { database_name: `${shop.name}_with_users` },
    });
    expect(done.result?.compared).toMatchObject({ items: 9, rows: DOCUMENTS, schema: true });
    expect(done.result?.notes.join()).toMatch(/users and roles/);
  });

  test('a URI says everything, and is not kept', async () => {
    const { host, port, username, password } = server;
    const uri = `mongodb://${username}:${encodeURIComponent(password)}@${host}:${port}/${shop.name}?authSource=admin`;
    const { status, body, text } = await service.request('POST', '/databases', {
      name: 'by-uri',
      engine: 'mongodb',
      uri,
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ database_name: shop.name, parameters: { authSource: 'admin' } });
    expect(text).not.toContain(password);
    expect((await service.request('POST', '/databases/by-uri/test')).status).toBe(200);
  });

  test.each([
    ['a wrong password', { password: 'obviously-false' }, 422, 'authentication-failed'],
    ['no user', { username: undefined, password: undefined }, 422, 'authentication-failed'],
    ['an unknown database', { database_name: 'no-such-database' }, 422, 'database-absent'],
    ['a set that it does not belong to', { parameters: { replicaSet: 'rs9' } }, 422, 'replica-set-mismatch'],
    ['a tool that is not here', { options: { tool: 'mongodump' } }, 422, 'tool-missing'],
    ['a misspelled collection', { options: { include_tables: ['ordres'] } }, 200, 'collections-unknown'],
  ] as const)(
    '%s has a problem of its own, in the test and in a backup',
    async (name, more, status, code) => {
      const alias = name.replaceAll(' ', '-');
      await register(alias, more);
      const tested = await service.request('POST', `/databases/${alias}/test`);
      expect(tested.status).toBe(status);
      if (status === 200)
        expect(tested.body).toMatchObject({
          warnings: expect.arrayContaining([expect.objectContaining({ code })]),
        });
      else expect(tested.body).toMatchObject({ code });
      const asked = await service.request<{ id: string }>('POST', '/backups', { database_id: alias });
      const failed = await backupIn(service, asked.body.id, 'failed');
      expect(failed.error).toMatchObject({ code, retryable: false });
      expect(tested.text + JSON.stringify(failed)).not.toContain('obviously-false');
    },
  );

  test.each([
    [{ parameters: { nonsense: 'x' } }, 'connection-parameter-invalid'],
    [{ parameters: { readPreference: 'whatever' } }, 'connection-parameter-invalid'],
    [{ database_name: 'a.b' }, 'remote-name-invalid'],
    [{ options: { schemas: ['public'] } }, 'options-invalid'],
    [{ options: { tool: 'pg_dump' } }, 'options-invalid'],
    [{ uri: 'postgres://db/shop', host: undefined, port: undefined }, 'uri-invalid'],
  ])('%j is refused', async (more, code) => {
    const refused = await service.request('POST', '/databases', registration('refused', more));
    expect(refused).toMatchObject({ status: 400, body: { code } });
  });
});
