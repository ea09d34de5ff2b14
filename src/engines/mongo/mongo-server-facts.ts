import type { ServerFacts } from '../engine.js';
import { type Fields, fieldsOf, textIn } from './fields.js';
import type { MongoSession } from './mongo-session.js';

/** How a server stands among others; what a backup can promise depends on it. */
export type Topology = 'standalone' | 'replica-set' | 'sharded';

/** What `ServerFacts.details` of a MongoDB server holds; stored in manifests, hence snake case and JSON-safe. */
export interface MongoDetails {
  topology: Topology;
  replica_set: string | null;
  is_primary: boolean;
  /** Version of FerretDB, where that speaks for MongoDB. */
  ferretdb: string | null;
  feature_compatibility: string | null;
  /** Most operations of one insert. */
  max_write_batch: number;
}

export type MongoFacts = ServerFacts & { details: MongoDetails & Record<string, unknown> };

/** FerretDB over DocumentDB says that it takes 100,000 operations at once, and refuses more than this. */
const FERRETDB_MAX_WRITE_BATCH = 25_000;

/** Facts about the server that the session is connected to. */
export async function readServerFacts(session: MongoSession): Promise<MongoFacts> {
  const build = await session.command('admin', { buildInfo: 1 });
  const hello = await session.command('admin', { hello: 1 });
  return describeServer(build, hello, await readFeatureCompatibility(session));
}

/** The answers of `buildInfo` and `hello` as facts. */
export function describeServer(
  build: Fields,
  hello: Fields,
  featureCompatibility: string | null,
): MongoFacts {
  const version = textIn(build['version']) ?? '0';
  const ferretdb = textIn(fieldsOf(build['ferretdb'])['version']) ?? null;
  const replicaSet = textIn(hello['setName']) ?? null;
  const isSharded = hello['msg'] === 'isdbgrid';
  const saidBatch = Number(hello['maxWriteBatchSize'] ?? 1000);
  return {
    version,
    major: Number.parseInt(version, 10),
    details: {
      topology: isSharded ? 'sharded' : replicaSet === null ? 'standalone' : 'replica-set',
      replica_set: replicaSet,
      is_primary: hello['isWritablePrimary'] === true,
      ferretdb,
      feature_compatibility: featureCompatibility,
      max_write_batch: ferretdb === null ? saidBatch : Math.min(saidBatch, FERRETDB_MAX_WRITE_BATCH),
    },
  };
}

/** Needs a right that a backup does not; null without it. */
async function readFeatureCompatibility(session: MongoSession): Promise<string | null> {
  try {
    const answer = await session.command('admin', { getParameter: 1, featureCompatibilityVersion: 1 });
    return textIn(fieldsOf(answer['featureCompatibilityVersion'])['version']) ?? null;
  } catch {
    return null;
  }
}
