import { once } from 'node:events';
import { createServer } from 'node:net';

import { MongoClient } from 'mongodb';
import { GenericContainer, Wait } from 'testcontainers';

import { must } from '../../scripts/setup/run.mjs';
import type { ReadyImage } from '../../scripts/setup/images.mjs';
import {
  MONGO_ROOT,
  mongoUri,
  type MongoServer,
  REPLICA_SET,
  type StartedMongoServer,
} from './mongo-server.ts';
import { OWNER_LABEL } from './postgres-container.ts';
import { until } from './until.ts';

/**
 * A member of a replica set with users needs a key that its members share; the image's user must own the file. Its port is the same
 * inside and outside, so that the name by which it knows itself leads to it from here.
 */
function asReplicaSet(port: number): string {
  return [
    'openssl rand -base64 512 > /tmp/replica-set.key',
    'chmod 400 /tmp/replica-set.key',
    'chown mongodb:mongodb /tmp/replica-set.key',
    `exec docker-entrypoint.sh mongod --replSet ${REPLICA_SET} --keyFile /tmp/replica-set.key --bind_ip_all --port ${port}`,
  ].join(' && ');
}

/**
 * Starts a server in a container and resolves when it takes commands from the superuser. The stand-in is never a replica set.
 *
 * @param owner Value of `OWNER_LABEL`.
 * @param hostPort A free port of this machine, for a server that is to be killed: it is there again after `resume`. Absent: any.
 */
export async function startMongoContainer(
  wanted: { major: number; isReplicaSet: boolean },
  image: ReadyImage,
  owner: string,
  hostPort?: number,
): Promise<StartedMongoServer> {
  const isFerretDb = image.how === 'stand-in image';
  const isReplicaSet = wanted.isReplicaSet && !isFerretDb;
  const port = isReplicaSet ? (hostPort ?? (await freePort())) : 27_017;
  const container = new GenericContainer(image.reference)
    .withEnvironment({
      MONGO_INITDB_ROOT_USERNAME: MONGO_ROOT.username,
      MONGO_INITDB_ROOT_PASSWORD: MONGO_ROOT.password,
    })
    .withLabels({ [OWNER_LABEL]: owner })
    .withExposedPorts(
      isReplicaSet || hostPort !== undefined ? { container: port, host: hostPort ?? port } : port,
    )
    // A listening port is not enough: the official image's first server, without users, has one too.
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(90_000);
  if (isReplicaSet) container.withEntrypoint(['bash', '-c']).withCommand([asReplicaSet(port)]);
  const started = await container.start();
  const server: MongoServer = {
    major: wanted.major,
    host: started.getHost(),
    port: started.getMappedPort(port),
    ...MONGO_ROOT,
    how: image.how,
    isFerretDb,
    ...(isReplicaSet ? { replicaSet: REPLICA_SET } : {}),
  };
  const ready = (): Promise<boolean> =>
    until(`${image.reference} to take commands`, () => isReady(server), 180_000);
  await ready();
  return {
    server,
    source: image.reference,
    kill: async () => {
      await must('docker', ['kill', '--signal=KILL', started.getId()]);
    },
    resume: async () => {
      await must('docker', ['start', started.getId()]);
      await ready();
    },
    stop: async () => {
      await started.stop({ remove: true, removeVolumes: true, timeout: 0 });
    },
  };
}

/** A port of this machine on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Logs in, and makes a replica set of its only member when it is to be one. */
async function isReady(server: MongoServer): Promise<boolean> {
  const client = new MongoClient(mongoUri(server), {
    auth: { username: server.username, password: server.password },
    serverSelectionTimeoutMS: 2000,
  });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary'] === true) return true;
    const isNew = server.replicaSet !== undefined && hello['setName'] === undefined;
    if (isNew) {
      const members = [{ _id: 0, host: `localhost:${server.port}` }];
      await admin.command({ replSetInitiate: { _id: server.replicaSet, members } });
    }
    return false;
  } catch {
    return false; // the caller's deadline says when that is final
  } finally {
    await client.close();
  }
}
