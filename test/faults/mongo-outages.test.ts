import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';

import { ensureImage } from '../../scripts/setup/images.mjs';
import { hasDockerEngine, prepareTestcontainers } from '../support/containers.ts';
import { freePort, startMongoContainer } from '../support/mongo-container.ts';
import type { MongoServer, StartedMongoServer } from '../support/mongo-server.ts';
import { connectMongo, mongoServers, newestMongoServer } from '../support/mongo-servers.ts';
import { askRestore, restoreIn } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { completedBackup } from '../support/shop.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { childrenOf, troubled } from './outage-world.ts';
import { type FarDatabase, IN_THE_MIDDLE, Way } from './way-to-server.ts';

const DOCUMENTS = 4000;
const DATABASE = `outage_${randomBytes(4).toString('hex')}`;
const LOST = /^(connection-lost|server-unreachable)$/;

/** Longer than a busy machine takes to open a dump. */
const STALL_SECONDS = 10;
/** The driver looks for a server that was lost for ten seconds. Whoever gives up earlier does not hear what it says. */
const PATIENT_SECONDS = 600;
const OPTIONS = { tool: 'builtin' };

/** Some 8 MB that do not compress, in one collection. */
async function fillBulk(server: MongoServer): Promise<void> {
  await using client = await connectMongo(server);
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({
    n,
    noise: randomBytes(1000).toString('hex'),
  }));
  await client.db(DATABASE).collection('bulk').insertMany(documents, { ordered: false });
}

/** Gives up what does not move for so long. */
function serviceThatWaits(stallSeconds: number): Promise<Service> {
  return startService({
    env: {
      RETRY_BACKOFF_SECONDS: '1',
      BACKUP_MAX_ATTEMPTS: '20',
      MAX_CONCURRENT_BACKUPS: '8',
      MAX_CONCURRENT_PER_HOST: '8',
      STALL_SECONDS: String(stallSeconds),
    },
  });
}

async function namesOn(server: MongoServer): Promise<string[]> {
  await using client = await connectMongo(server);
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  return databases.map(({ name }) => name);
}

function bulkOn(server: MongoServer): FarDatabase {
  const { username, password } = server;
  return {
    server,
    registration: { engine: 'mongodb', username, password, database_name: DATABASE },
    rows: DOCUMENTS,
    names: () => namesOn(server),
  };
}

/** A server of its own, because others use the shared ones; undefined where there is no Docker Engine. */
async function ownServer(): Promise<StartedMongoServer | undefined> {
  if (!(await hasDockerEngine())) return undefined;
  await prepareTestcontainers();
  const image = await ensureImage('mongo:8');
  return await startMongoContainer(
    { major: 8, isReplicaSet: false },
    image,
    String(process.pid),
    await freePort(),
  );
}

describe.runIf(mongoServers().length > 0)('a MongoDB server that is lost', () => {
  let server: MongoServer;
  let patient: Service;
  let impatient: Service;

  beforeAll(async () => {
    server = newestMongoServer();
    await fillBulk(server);
    [patient, impatient] = await Promise.all([
      serviceThatWaits(PATIENT_SECONDS),
      serviceThatWaits(STALL_SECONDS),
    ]);
  });
  afterAll(async () => {
    for (const service of [patient, impatient].filter((started) => started !== undefined)) {
      expect(await childrenOf(service), 'processes that are left').toEqual([]);
      await service.stop();
    }
    await using client = await connectMongo(server);
    for (const name of await namesOn(server))
      if (name.startsWith(DATABASE)) await client.db(name).dropDatabase();
  });

  describe.concurrent.each([
    {
      name: 'is cut off',
      lose: (proxy: TcpProxy) => proxy.cut(),
      by: () => patient,
      dump: LOST,
      restore: LOST,
    },
    {
      name: 'resets every connection',
      // No further attempt may begin while it is looked at what the first one has left.
      lose: (proxy: TcpProxy) => proxy.reset().then(() => proxy.cut()),
      by: () => patient,
      dump: LOST,
      restore: LOST,
    },
    {
      name: 'says nothing any more',
      lose: async (proxy: TcpProxy) => proxy.blackHole(),
      by: () => impatient,
      dump: /^(archive-stalled|dump-not-opened)$/,
      restore: /^restore-stalled$/,
    },
  ])('because it $name', ({ lose, by, dump, restore }) => {
    let service: Service;
    let way: Way;
    beforeAll(async () => {
      service = by();
      way = await Way.make(service, bulkOn(server), OPTIONS);
    });
    afterAll(() => way?.[Symbol.asyncDispose]());

    test(
      'in the middle of a dump: told as what it is, nothing left, the next attempt good',
      {
        concurrent: false,
      },
      async () => {
        const earlier = await completedBackup(service, way.name);
        const { id } = await way.inTheMiddle(IN_THE_MIDDLE * (1 + Math.random()));
        await lose(way.proxy);
        const { error } = await troubled(service, id);
        expect(error).toMatchObject({ code: expect.stringMatching(dump) as string, retryable: true });
        await way.expectRecovery(id, earlier);
      },
    );

    test(
      'in the middle of a restore: told as what it is, nothing left, and restored when asked again',
      {
        concurrent: false,
      },
      async () => {
        const backup = await completedBackup(service, way.name);
        const id = await way.loading(backup);
        await lose(way.proxy);
        const failed = await restoreIn(service, id, 'failed', 'completed');
        expect(failed).toMatchObject({
          status: 'failed',
          error: { code: expect.stringMatching(restore) as string, retryable: true },
        });
        await way.expectRestorable(id, backup);
      },
    );
  });

  test.concurrent(
    'only by its slowness, for longer than a stall may take, is waited for: in a dump and in a restore',
    async () => {
      const service = impatient;
      await using way = await Way.make(service, bulkOn(server), OPTIONS);
      way.proxy.throttle(512 * 1024);
      let begun = performance.now();
      const backup = await completedBackup(service, way.name);
      expect(backup.attempt).toBe(1);
      expect(performance.now() - begun).toBeGreaterThan(STALL_SECONDS * 1000);
      way.proxy.throttle(160 * 1024);
      begun = performance.now();
      const { id } = (await askRestore(service, backup.id)).body;
      expect((await restoreIn(service, id, 'completed', 'failed')).error).toBe(null);
      expect(performance.now() - begun).toBeGreaterThan(STALL_SECONDS * 1000);
    },
  );

  describe('because its process is killed, and is started again', () => {
    let own: StartedMongoServer | undefined;
    beforeAll(async () => {
      own = await ownServer();
      if (own !== undefined) await fillBulk(own.server);
    });
    afterAll(() => own?.stop());

    function needed(context: TestContext): StartedMongoServer {
      context.skip(own === undefined, 'no Docker Engine answers, so there is no server that may be killed');
      return own ?? expect.fail();
    }

    test('in the middle of a dump: told as what it is, nothing left, the next attempt good', async (context) => {
      const { server: killed, kill, resume } = needed(context);
      const service = patient;
      await using way = await Way.make(service, bulkOn(killed), OPTIONS);
      const earlier = await completedBackup(service, way.name);
      const { id } = await way.inTheMiddle();
      await kill();
      const { error } = await troubled(service, id);
      expect(error).toMatchObject({ code: expect.stringMatching(LOST) as string, retryable: true });
      await resume();
      await way.expectRecovery(id, earlier);
    });

    test('in the middle of a restore: told as what it is, nothing left, and restored when asked again', async (context) => {
      const { server: killed, kill, resume } = needed(context);
      const service = patient;
      await using way = await Way.make(service, bulkOn(killed), OPTIONS);
      const backup = await completedBackup(service, way.name);
      const id = await way.loading(backup);
      await kill();
      way.proxy.mend();
      const failed = await restoreIn(service, id, 'failed', 'completed');
      expect(failed).toMatchObject({
        status: 'failed',
        error: { code: expect.stringMatching(LOST) as string, retryable: true },
      });
      await resume();
      await way.expectRestorable(id, backup);
    });
  });
});
