import { MongoClient } from 'mongodb';
import { GenericContainer, Wait } from 'testcontainers';

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

/** A member of a replica set with users needs a key that its members share; the image's user must own the file. */
const AS_REPLICA_SET = [
  'openssl rand -base64 512 > /tmp/replica-set.key',
  'chmod 400 /tmp/replica-set.key',
  'chown mongodb:mongodb /tmp/replica-set.key',
  `exec docker-entrypoint.sh mongod --replSet ${REPLICA_SET} --keyFile /tmp/replica-set.key --bind_ip_all`,
].join(' && ');

/**
 * Starts a server in a container and resolves when it takes commands from the superuser. The stand-in is never a replica set.
 *
 * @param owner Value of `OWNER_LABEL`.
 */
export async function startMongoContainer(
  wanted: { major: number; isReplicaSet: boolean },
  image: ReadyImage,
  owner: string,
): Promise<StartedMongoServer> {
  const isFerretDb = image.how === 'stand-in image';
  const isReplicaSet = wanted.isReplicaSet && !isFerretDb;
  const container = new GenericContainer(image.reference)
    .withEnvironment({
      MONGO_INITDB_ROOT_USERNAME: MONGO_ROOT.username,
      MONGO_INITDB_ROOT_PASSWORD: MONGO_ROOT.password,
    })
    .withLabels({ [OWNER_LABEL]: owner })
    .withExposedPorts(27017)
    // A listening port is not enough: the official image's first server, without users, has one too.
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(90_000);
  if (isReplicaSet) container.withEntrypoint(['bash', '-c']).withCommand([AS_REPLICA_SET]);
  const started = await container.start();
  const server: MongoServer = {
    major: wanted.major,
    host: started.getHost(),
    port: started.getMappedPort(27017),
    ...MONGO_ROOT,
    how: image.how,
    isFerretDb,
    ...(isReplicaSet ? { replicaSet: REPLICA_SET } : {}),
  };
  await until(`${image.reference} to take commands`, () => isReady(server), 60_000);
  return {
    server,
    source: image.reference,
    stop: async () => {
      await started.stop({ remove: true, removeVolumes: true, timeout: 0 });
    },
  };
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
      const members = [{ _id: 0, host: 'localhost:27017' }];
      await admin.command({ replSetInitiate: { _id: server.replicaSet, members } });
    }
    return false;
  } catch {
    return false; // the caller's deadline says when that is final
  } finally {
    await client.close();
  }
}
