import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';

import { ensureImage } from '../../scripts/setup/images.mjs';
import { hasDockerEngine, prepareTestcontainers } from '../support/containers.ts';
import { freePort, startMongoContainer } from '../support/mongo-container.ts';
import type { MongoServer, StartedMongoServer } from '../support/mongo-server.ts';
import { connectMongo, mongoServers } from '../support/mongo-servers.ts';
import { askRestore, type RestoreBody, restoreIn } from '../support/restores.ts';
import { type Service, startService } from '../support/service.ts';
import { type BackupBody, backupIn, completedBackup } from '../support/shop.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { askBackup, childrenOf, filesIn, filesOf, troubled } from './outage-world.ts';

const DOCUMENTS = 4000;
/** Each connection's; a dump of one collection then takes some four seconds. */
const PACE = 2 * 1024 * 1024;
const IN_THE_MIDDLE = 1024 * 1024;
const LOST = expect.stringMatching(/^(connection-lost|server-unreachable)$/) as string;

/** Some 8 MB that do not compress, in one collection. */
async function fillBulk(server: MongoServer, name: string): Promise<void> {
  await using client = await connectMongo(server);
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({
    n,
    noise: randomBytes(1000).toString('hex'),
  }));
  await client.db(name).collection('bulk').insertMany(documents, { ordered: false });
}

/** A service, and a way from it to a server, with its database `outage`. */
class World implements AsyncDisposable {
  readonly #undo = new AsyncDisposableStack();
  readonly proxy: TcpProxy;
  readonly service: Service;

  private constructor(proxy: TcpProxy, service: Service) {
    this.proxy = this.#undo.use(proxy);
    this.service = this.#undo.use(service);
  }

  static async make(
    { host, port, username, password }: MongoServer,
    databaseName: string,
    env: Record<string, string> = {},
    options: object = {},
  ): Promise<World> {
    const proxy = await startProxy({ host, port });
    const service = await startService({
      env: { RETRY_BACKOFF_SECONDS: '1', BACKUP_MAX_ATTEMPTS: '20', ...env },
    });
    const answer = await service.request('POST', '/databases', {
      name: 'outage',
      engine: 'mongodb',
      ...proxy.address,
      username,
      password,
      database_name: databaseName,
      options: { tool: 'builtin', ...options },
    });
    expect(answer, answer.text).toMatchObject({ status: 201 });
    return new World(proxy, service);
  }

  get folder(): string {
    return join(this.service.dataDir, 'data', 'backups');
  }

  async dumping(): Promise<BackupBody> {
    this.proxy.throttle(PACE);
    const before = this.proxy.received;
    const asked = await askBackup(this.service, 'outage');
    await until('the dump to be in its middle', () => this.proxy.received > before + IN_THE_MIDDLE);
    return asked;
  }

  /** What every trouble of a server must leave: nothing. And the next attempt is good. */
  async expectRecovery(id: string, earlier: BackupBody): Promise<void> {
    expect(await filesIn(this.folder)).toEqual(filesOf(earlier));
    this.proxy.mend();
    const done = await backupIn(this.service, id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', contents: { rows: DOCUMENTS }, error: null });
    expect(done.attempt).toBeGreaterThan(1);
    expect(await filesIn(this.folder)).toEqual(filesOf(earlier, done));
  }

  async loading(backup: BackupBody): Promise<string> {
    this.proxy.throttle(PACE);
    const { id } = (await askRestore(this.service, backup.id)).body;
    await until('the restore to load', async () => {
      const { progress } = await this.restore(id);
      return progress?.phase === 'restoring' && progress.bytes > IN_THE_MIDDLE;
    });
    return id;
  }

  async restore(id: string): Promise<RestoreBody> {
    return (await this.service.request<RestoreBody>('GET', `/restores/${id}`)).body;
  }

  /** A restore that failed leaves no database, as soon as its server can be asked; and it can be asked for again. */
  async expectRestorable(failedId: string, backup: BackupBody): Promise<void> {
    this.proxy.mend();
    const isClean = async (): Promise<boolean> => (await this.restore(failedId)).unfinished_database === null;
    await until('the unfinished database to be dropped', isClean, 60_000);
    const again = await askRestore(this.service, backup.id);
    const done = await restoreIn(this.service, again.body.id, 'completed', 'failed');
    expect(done).toMatchObject({ status: 'completed', result: { compared: { rows: DOCUMENTS } } });
    expect(await childrenOf(this.service)).toEqual([]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }
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

describe.runIf(mongoServers().length > 0)(
  'a MongoDB server whose process is killed and started again',
  () => {
    let own: StartedMongoServer | undefined;
    beforeAll(async () => {
      own = await ownServer();
      if (own !== undefined) await fillBulk(own.server, 'outage');
    });
    afterAll(() => own?.stop());

    function needed(context: TestContext): StartedMongoServer {
      context.skip(own === undefined, 'no Docker Engine answers, so there is no server that may be killed');
      return own ?? expect.fail();
    }

    test('in the middle of a dump: told as what it is, nothing left, the next attempt good', async (context) => {
      const { server, kill, resume } = needed(context);
      await using world = await World.make(server, 'outage');
      const earlier = await completedBackup(world.service, 'outage');
      const { id } = await world.dumping();
      await kill();
      expect((await troubled(world.service, id)).error).toMatchObject({ code: LOST, retryable: true });
      await resume();
      await world.expectRecovery(id, earlier);
    });

    test('in the middle of a restore: told as what it is, nothing left, and restored when asked again', async (context) => {
      const { server, kill, resume } = needed(context);
      await using world = await World.make(server, 'outage');
      const backup = await completedBackup(world.service, 'outage');
      const id = await world.loading(backup);
      await kill();
      const failed = await restoreIn(world.service, id, 'failed', 'completed');
      expect(failed).toMatchObject({ status: 'failed', error: { code: LOST, retryable: true } });
      await resume();
      await world.expectRestorable(id, backup);
    });
  },
);
