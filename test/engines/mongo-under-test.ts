import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SystemClock } from '../../src/clock/system-clock.ts';
import type { Connection, EngineCall } from '../../src/engines/engine.ts';
import { MongoTools } from '../../src/engines/mongo/mongo-tools.ts';
import { MongoEngine } from '../../src/engines/mongo/mongo.engine.ts';
import { ToolFinder } from '../../src/process/tool-finder.ts';
import {
  type EngineUnderTest,
  killChildren,
  type ProvokedFailure,
  type TestDatabase,
  writtenByChildren,
} from '../contracts/engine-under-test.ts';
import type { MongoServer } from '../support/mongo-server.ts';
import { connectMongo, type FreshMongoDatabase, freshMongoDatabase } from '../support/mongo-servers.ts';
import { dropWordsIndex, fillWithSample, SAMPLE_DOCUMENTS } from '../support/sample-mongo.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const clock = new SystemClock();

/** An engine that finds exactly the tools in these folders; none: what is built in does everything. */
export function mongoEngine(workDir: string, folders: readonly string[] = []): MongoEngine {
  const finder = new ToolFinder({ folders, patterns: [], path: '' }, clock);
  return new MongoEngine(new MongoTools(finder), { clock, workDir });
}

export function connectionToMongo(
  { host, port, username, password }: Pick<MongoServer, 'host' | 'port' | 'username' | 'password'>,
  databaseName: string,
): Connection {
  return { host, port, username, password, databaseName, tls: { mode: 'disable' } };
}

/**
 * The engine and one server, as the contract wants them. It reaches the server by a proxy that knows every connection.
 * @param folders with the MongoDB Database Tools; none: what is built in
 */
export async function openMongo(
  server: MongoServer,
  folders: readonly string[] = [],
): Promise<{ under: EngineUnderTest; close(): Promise<void> }> {
  const filesFolder = await mkdtemp(join(tmpdir(), 'backstop-engine-'));
  const engine = mongoEngine(filesFolder, folders);
  const usesTools = folders.length > 0;
  const proxy = await startProxy(server);
  const made: FreshMongoDatabase[] = [];
  // Not the superuser of the test servers: the stand-in's own processes show that password to everybody.
  const user = await freshMongoUser(server);
  const to = (name: string): Connection => connectionToMongo({ ...server, ...proxy.address, ...user }, name);
  const once = (fill: (database: FreshMongoDatabase) => Promise<void>): (() => Promise<Connection>) => {
    let filled: Promise<Connection> | undefined;
    return () =>
      (filled ??= (async () => {
        const database = await freshMongoDatabase(server, "-engine-ü'x");
        made.push(database);
        await fill(database);
        return to(database.name);
      })());
  };
  const silent = await silentServer();
  const under: EngineUnderTest = {
    engine,
    filesFolder,
    sampleItems: SAMPLE_DOCUMENTS,
    sample: once(async ({ db }) => {
      await fillWithSample(db);
      if (usesTools && server.isFerretDb) await dropWordsIndex(db);
    }),
    bulky: once(fillWithBulk),
    empty: () => emptyDatabase(server, to),
    sessions: () => Promise.resolve(proxy.connections()),
    killOnServer: () => breakOnce(proxy),
    killTool: () => (usesTools ? killChildren() : breakOnce(proxy)),
    // Two collections, each with a batch in hand and one on its way, and what is in sockets.
    mostBufferedBytes: 2 * 2 * 4 * 1024 * 1024 + 8 * 1024 * 1024,
    // What a tool keeps to itself is its own; it has produced what it wrote.
    bytesProduced: () => (usesTools ? writtenByChildren() : Promise.resolve(proxy.bytesToClients())),
    startWriter: (connection) => startWriter(server, connection.databaseName),
    failures: failuresOf(server, filesFolder, (silent.address() as { port: number }).port),
  };
  const close = async (): Promise<void> => {
    silent.close();
    await user.drop();
    await proxy[Symbol.asyncDispose]();
    await Promise.all(made.map((database) => database[Symbol.asyncDispose]()));
    await rm(filesFolder, { recursive: true, force: true });
  };
  return { under, close };
}

/** A user of a test's own who may read and write everything. */
async function freshMongoUser(
  server: MongoServer,
): Promise<{ username: string; password: string; drop(): Promise<void> }> {
  const username = `user ü ${crypto.randomUUID().slice(0, 8)}`;
  const password = 'not-a-secret: with \\ : @ / and %';
  const client = await connectMongo(server);
  const roles = ['readWriteAnyDatabase', 'clusterAdmin'].map((role) => ({ role, db: 'admin' }));
  await client.db('admin').command({ createUser: username, pwd: password, roles });
  const drop = async (): Promise<void> => {
    await client.db('admin').command({ dropUser: username });
    await client.close();
  };
  return { username, password, drop };
}

async function breakOnce(proxy: TcpProxy): Promise<void> {
  await proxy.cut();
  proxy.mend();
}

async function emptyDatabase(server: MongoServer, to: (name: string) => Connection): Promise<TestDatabase> {
  const database = await freshMongoDatabase(server, 'engine-empty');
  return {
    connection: to(database.name),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function fillWithBulk({ db }: FreshMongoDatabase): Promise<void> {
  const body = 'x'.repeat(900);
  for (const [name, count] of [
    ['first', 40_000],
    ['second', 20_000],
  ] as const) {
    for (let at = 0; at < count; at += 10_000) {
      const documents = Array.from({ length: 10_000 }, (_, index) => ({ n: at + index, body }));
      await db.collection(name).insertMany(documents, { ordered: false });
    }
  }
}

async function startWriter(server: MongoServer, name: string): Promise<{ stop(): Promise<number> }> {
  const database = await freshMongoDatabase(server, 'writer');
  const log = database.client.db(name).collection('log');
  await log.insertMany(Array.from({ length: 20_000 }, (_, at) => ({ at, body: `before ${at}` })));
  let written = 20_000;
  const stop = new AbortController();
  const writing = (async () => {
    while (!stop.signal.aborted || written === 20_000) {
      await log.insertMany(Array.from({ length: 20 }, () => ({ body: 'during' })));
      written += 20;
      await log.updateMany({ at: { $mod: [5000, 0] } }, { $set: { seen: written } });
      await log.deleteOne({ at: written - 20_000 });
    }
    await database[Symbol.asyncDispose]();
    return written;
  })();
  return {
    stop: () => {
      stop.abort();
      return writing;
    },
  };
}

/** Accepts connections and never says a word. */
async function silentServer(): Promise<Server> {
  const server = createServer(() => undefined);
  server.unref();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

function failuresOf(server: MongoServer, filesFolder: string, silentPort: number): ProvokedFailure[] {
  const good = connectionToMongo(server, '');
  const engine = mongoEngine(filesFolder);
  const dump = (connection: Connection, tool?: string) => (call: EngineCall) =>
    engine.dump(connection, tool === undefined ? {} : { tool }, call);
  return [
    {
      name: 'a wrong password',
      code: 'authentication-failed',
      retryable: false,
      provoke: dump({ ...good, password: 'wrong-password' }),
    },
    {
      name: 'no user',
      code: 'authentication-failed',
      retryable: false,
      provoke: dump({ ...good, username: undefined, password: undefined }),
    },
    {
      name: 'an unknown user',
      code: 'authentication-failed',
      retryable: false,
      provoke: dump({ ...good, username: 'nobody at all', password: 'wrong-password' }),
    },
    {
      name: 'a closed port',
      code: 'server-unreachable',
      retryable: true,
      provoke: dump({ ...good, port: 1 }),
    },
    {
      name: 'an unknown host',
      code: 'server-unreachable',
      retryable: true,
      provoke: dump({ ...good, host: 'no-such-host.invalid' }),
    },
    {
      name: 'a server that accepts and never answers',
      code: 'server-timeout',
      retryable: true,
      provoke: dump({ ...good, host: '127.0.0.1', port: silentPort }),
    },
    {
      name: 'a server without TLS where TLS is asked for',
      code: 'tls-failed',
      retryable: false,
      provoke: dump({ ...good, tls: { mode: 'require' } }),
    },
    {
      name: 'the name of a replica set that the server does not belong to',
      code: 'replica-set-mismatch',
      retryable: false,
      provoke: dump({ ...good, parameters: { replicaSet: 'no-such-set' } }),
    },
    {
      name: 'an unknown database',
      code: 'database-absent',
      retryable: false,
      provoke: dump({ ...good, databaseName: 'no-such-database' }),
    },
    { name: 'a missing tool', code: 'tool-missing', retryable: false, provoke: dump(good, 'mongodump') },
    {
      name: 'an unknown format',
      code: 'format-unsupported',
      retryable: false,
      provoke: (call) => engine.dump(good, { format: 'custom' }, call),
    },
  ];
}
