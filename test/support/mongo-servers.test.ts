import { describe, expect, it } from 'vitest';

import { mongoTitle } from './mongo-server.ts';
import { connectMongo, freshMongoDatabase, mongoServers } from './mongo-servers.ts';

it('has a server for the tests of MongoDB', (context) => {
  context.skip(mongoServers().length === 0, 'no MongoDB could be started; the head of this run says why');
  expect(new Set(mongoServers().map(({ major }) => major)).size).toBe(mongoServers().length);
});

describe.each(mongoServers().map((server) => ({ server, title: mongoTitle(server) })))(
  '$title of this run',
  ({ server }) => {
    it('is what it is offered as', async () => {
      await using client = await connectMongo(server);
      const admin = client.db('admin');
      const build = await admin.command({ buildInfo: 1 });
      const hello = await admin.command({ hello: 1 });
      expect('ferretdb' in build).toBe(server.isFerretDb);
      if (!server.isFerretDb) expect(String(build['version'])).toMatch(new RegExp(`^${server.major}\\.`));
      expect(hello['isWritablePrimary']).toBe(true);
      expect(hello['setName']).toBe(server.replicaSet);
    });

    it('refuses a wrong password', async () => {
      const auth = { username: server.username, password: 'not-the-password' };
      await expect(connectMongo(server, { auth })).rejects.toThrow(/auth/i);
    });

    it('gives each test a database of its own, and takes it away', async () => {
      await using first = await freshMongoDatabase(server, 'Müller-x');
      await using second = await freshMongoDatabase(server, 'Müller-x');
      expect(second.name).not.toBe(first.name);
      await first.db.collection('t').insertOne({ n: 7 });
      expect(await first.db.collection('t').countDocuments({ n: 7 })).toBe(1);
      await first.drop();
      const { databases } = await second.client.db('admin').admin().listDatabases({ nameOnly: true });
      expect(databases.map(({ name }) => name)).not.toContain(first.name);
    });
  },
);
