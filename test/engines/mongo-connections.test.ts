import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Connection, ConnectionParameters } from '../../src/engines/engine.ts';
import { dumped, piecesOf, plainCall } from '../contracts/engine-under-test.ts';
import { mongoTitle } from '../support/mongo-server.ts';
import {
  type FreshMongoDatabase,
  freshMongoDatabase,
  mongoServers,
  needs,
} from '../support/mongo-servers.ts';
import { findMongoTools } from '../support/mongo-tools.ts';
import { documentsIn } from './mongo-dumping.ts';
import { connectionToMongo, mongoEngine } from './mongo-under-test.ts';

const tools = await findMongoTools();
const servers = mongoServers().map((server) => ({ server, title: mongoTitle(server) }));
const PASSWORD = 'not-a-secret-for-tests';

describe.each(servers)('who connects to $title, and to which member', ({ server }) => {
  let folder: string;
  let database: FreshMongoDatabase;
  const engine = () => mongoEngine(folder, tools.folders);
  const to = (parameters: ConnectionParameters, more: Partial<Connection> = {}): Connection => ({
    ...connectionToMongo(server, database.name),
    parameters,
    ...more,
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
    database = await freshMongoDatabase(server, 'who');
    await database.db.collection('open').insertOne({ n: 1 });
    await database.db.collection('secret').insertOne({ n: 2 });
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('a wrong authSource is told with the right one', async (context) => {
    needs(context, server, 'a database of its own for each user');
    const wrong = to({ authSource: database.name });
    await expect(engine().probe(wrong, plainCall())).rejects.toMatchObject({
      code: 'auth-source-wrong',
      retryable: false,
      facts: { right_auth_source: 'admin' },
    });
  });

  test('a user of the database itself backs it up with that as authSource', async (context) => {
    needs(context, server, 'a database of its own for each user');
    await database.db.command({ createUser: 'own', pwd: PASSWORD, roles: ['readWrite'] });
    const own = to({ authSource: database.name }, { username: 'own', password: PASSWORD });
    for (const tool of tools.folders.length > 0 ? ['builtin', 'mongodump'] : ['builtin'])
      expect((await dumped(engine(), own, { tool })).content.items).toHaveLength(2);
    await database.db.command({ dropUser: 'own' });
  });

  test('a collection that the user may not read is named by the test, and a dump of it fails', async (context) => {
    needs(context, server, 'rights of single collections');
    const resource = { db: database.name, collection: 'open' };
    const listing = {
      resource: { db: database.name, collection: '' },
      actions: ['listCollections', 'listIndexes'],
    };
    const privileges = [{ resource, actions: ['find'] }, listing];
    await database.db.command({ createRole: 'some', privileges, roles: [] });
    await database.db.command({ createUser: 'reader', pwd: PASSWORD, roles: ['some'] });
    const reader = to({ authSource: database.name }, { username: 'reader', password: PASSWORD });
    const { warnings } = await engine().probe(reader, plainCall());
    const warning = warnings.find(({ code }) => code === 'collections-unreadable');
    expect(warning?.detail).toMatch(/cannot read secret,/);
    for (const tool of tools.folders.length > 0 ? ['builtin', 'mongodump'] : ['builtin'])
      await expect(dumped(engine(), reader, { tool })).rejects.toMatchObject({
        code: 'permission-denied',
        retryable: false,
      });
    const scope = { excludeTables: ['secret'], tool: 'builtin' };
    expect((await dumped(engine(), reader, scope)).content.items).toMatchObject([{ name: 'open', rows: 1 }]);
    await database.db.command({ dropUser: 'reader' });
    await database.db.command({ dropRole: 'some' });
  });

  test('users and roles come with a backup on request, and stay in the archive when it is restored', async () => {
    const scope = { includeRoles: true, tool: 'builtin', hashContent: true };
    const dump = await dumped(engine(), to({}), scope);
    const held = await documentsIn(dump.bytes);
    const ofUsers = [...held.keys()].filter((name) => name.startsWith(`${database.name}.$admin.`));
    expect(ofUsers.toSorted()).toEqual(
      ['roles', 'users', 'version'].map((name) => `${database.name}.$admin.system.${name}`),
    );
    expect(dump.content.items.map(({ name }) => name)).toEqual(['open', 'secret']);
    await using copy = await freshMongoDatabase(server, 'who_copy');
    const target = connectionToMongo(server, copy.name);
    const choice = { format: 'archive', workDir: folder } as const;
    const { notes } = await mongoEngine(folder).restore(target, piecesOf(dump.bytes), choice, plainCall());
    expect(notes.join()).toMatch(/users and roles of its database, which were not restored/);
    const found = await engine().measure(target, { hashContent: true }, plainCall());
    expect(found.items).toEqual(dump.content.items);
  });

  test('the users of the database, and no others, are in it', async (context) => {
    needs(context, server, 'users and roles in a collection');
    await database.db.command({ createUser: 'kept', pwd: PASSWORD, roles: ['read'] });
    const { bytes } = await dumped(engine(), to({}), { includeRoles: true, tool: 'builtin' });
    const users = (await documentsIn(bytes)).get(`${database.name}.$admin.system.users`) ?? Buffer.alloc(0);
    expect(users.toString('latin1')).toContain('kept');
    expect(users.toString('latin1')).not.toContain(server.username);
    await database.db.command({ dropUser: 'kept' });
  });

  test('a standalone server has neither snapshot nor oplog: the test and the manifest say so', async (context) => {
    context.skip(server.replicaSet !== undefined, 'this server is a replica set');
    const { warnings } = await engine().probe(to({}), plainCall());
    expect(warnings.map(({ code }) => code)).toContain('no-snapshot');
    const whole = connectionToMongo(server, '');
    const scope = { includeTables: [`${database.name}.open`] };
    const dump = await engine().dump(whole, scope, plainCall());
    dump.bytes.resume();
    expect((await dump.content).items).toMatchObject([{ name: `${database.name}.open`, rows: 1 }]);
    expect(dump.server.details).toMatchObject({ topology: 'standalone', consistency: 'none' });
  });

  test('the name of a replica set leads to its members, past one that is down', async (context) => {
    needs(context, server, 'a replica set');
    const set = { replicaSet: server.replicaSet ?? '' };
    for (const parameters of [set, { ...set, seeds: '127.0.0.1:1' }, { ...set, readPreference: 'nearest' }])
      expect((await dumped(engine(), to(parameters))).content.items, JSON.stringify(parameters)).toHaveLength(
        2,
      );
  });

  test('a set without the member that is to be read from says what its members are', async (context) => {
    needs(context, server, 'a replica set');
    const secondary = to({ replicaSet: server.replicaSet ?? '', readPreference: 'secondary' });
    await expect(engine().probe(secondary, plainCall())).rejects.toMatchObject({
      code: 'replica-set-unreachable',
      retryable: true,
    });
  });

  test.each([
    [
      'pg_dump',
      Buffer.concat([Buffer.from('PGDMP\u0001\u0010\u0000\u0004\u0008\u0001'), Buffer.alloc(5000, 1)]),
    ],
    [
      'pg_dump in plain SQL',
      Buffer.from('--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n'),
    ],
    ['mongodump --gzip', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(5000, 1)])],
  ])('an archive of %s is refused as foreign, and nothing is made', async (_, archive) => {
    await using target = await freshMongoDatabase(server, 'who_foreign');
    const connection = connectionToMongo(server, target.name);
    const choice = { format: 'archive', workDir: folder } as const;
    for (const one of [mongoEngine(folder), engine()])
      await expect(one.restore(connection, piecesOf(archive), choice, plainCall())).rejects.toMatchObject({
        code: 'archive-foreign',
        retryable: false,
      });
    expect(await target.db.listCollections().toArray()).toEqual([]);
  });
});
