import type { DumpScope, ProbeReport } from '../engine.js';
import { DatabaseAbsentError, PermissionDeniedError, QueryFailedError } from '../engines.errors.js';
import { documentsIn, type Fields, fieldsOf } from './fields.js';
import type { MongoCall } from './mongo-call.js';
import {
  findCollections,
  findDatabases,
  type FoundCollection,
  itemName,
  unknownIn,
} from './mongo-collections.js';
import { chooseDumpTool } from './mongo-dump.js';
import { databaseExists } from './mongo-databases.js';
import { mustRenameAcross } from './mongo-mover.js';
import { type MongoFacts, readServerFacts } from './mongo-server-facts.js';
import type { MongoSession } from './mongo-session.js';
import { BUILT_IN, type MongoTools } from './mongo-tools.js';
import { SwapUnsupportedError } from './mongo.errors.js';

type Warning = ProbeReport['warnings'][number];

/** The oldest major that its vendor still mends (end of life of 6.0: July 2025). */
const OLDEST_SUPPORTED_MAJOR = 7;
const HISTORY_PARAMETER = 'minSnapshotHistoryWindowInSeconds';
/** Manual of MongoDB, server parameters: 300 unless set. */
const DEFAULT_HISTORY_SECONDS = 300;
/** A dump over a network to a slow disk; on one machine it is several times as fast. */
const CAUTIOUS_BYTES_PER_SECOND = 20_000_000;
/** Collections of which the first document is asked for, to see whether they can be read. */
const MOST_TRIED = 200;

/** Says what a dump would meet on this server. @throws `database-absent`, `tool-missing`, and what keeps us from connecting */
export async function probeMongo(call: MongoCall, tools: MongoTools, scope: DumpScope): Promise<ProbeReport> {
  const session = await call.session();
  const server = await readServerFacts(session);
  const { databaseName } = call.connection;
  if (databaseName !== '' && !(await databaseExists(session, databaseName))) {
    throw new DatabaseAbsentError(call.connection, databaseName);
  }
  const found = await findCollections(session, databaseName, scope, server.version);
  const tool = (await chooseDumpTool(tools, call.connection, scope)) ?? BUILT_IN;
  const sizeBytes = await readSize(session, databaseName);
  return {
    server,
    sizeBytes,
    itemCount: found.filter(({ data }) => data !== undefined).length,
    tool: { name: tool.name, version: tool.version },
    warnings: [
      ...warnOfServer(server),
      ...warnOfTool(tool.name, scope, server, databaseName === ''),
      ...warnOfHistory(tool.name, server, sizeBytes, await readHistorySeconds(session)),
      ...warnOfUnknown(unknownIn(found, scope, databaseName === '')),
      ...(await warnOfRights(session, found, databaseName === '')),
      ...(await warnOfSwap(session, databaseName)),
    ],
  };
}

async function readSize(session: MongoSession, databaseName: string): Promise<number> {
  const databases = databaseName === '' ? await findDatabases(session) : [databaseName];
  let sum = 0;
  for (const database of databases) {
    const stats = await session.command(database, { dbStats: 1 });
    sum += Number(stats['storageSize'] ?? 0) + Number(stats['indexSize'] ?? 0);
  }
  return sum;
}

/** What the server's kind and age mean for a backup. Pure. */
export function warnOfServer({ major, details }: MongoFacts): Warning[] {
  const warnings: Warning[] = [];
  if (details.topology === 'standalone') {
    warnings.push({
      code: 'no-snapshot',
      detail:
        'the server is standalone: it has no snapshots, so collections that are written to during a backup are kept as of ' +
        'slightly different moments; a replica set, of one member too, has them as of one',
    });
  }
  if (details.topology === 'sharded') {
    warnings.push({
      code: 'sharded',
      detail: 'the server is the router of a sharded cluster: a backup has no common moment of all shards',
    });
  }
  if (details.ferretdb === null && major < OLDEST_SUPPORTED_MAJOR) {
    warnings.push({ code: 'server-old', detail: `MongoDB ${major} is not maintained any more` });
  }
  return warnings;
}

/** What it means for a backup that this makes it. Pure. */
export function warnOfTool(
  tool: string,
  scope: DumpScope,
  { details }: MongoFacts,
  isWhole: boolean,
): Warning[] {
  if (tool === BUILT_IN.name) {
    if (scope.tool === BUILT_IN.name) return [];
    const detail =
      'mongodump is not used: it is not installed on this machine, or cannot do what this connection and its options ask; the source ' +
      'that is built in makes the same archive';
    return [{ code: 'tools-missing', detail }];
  }
  if (isWhole || details.topology === 'standalone') return [];
  const detail =
    'mongodump reads each collection of a single database as of a moment of its own; with the option tool set to builtin all are of one';
  return [{ code: 'no-snapshot', detail }];
}

/**
 * Whether a server may forget the moment of a snapshot before all of it was read. How long a dump takes is only estimated: a first
 * backup tells. Pure.
 */
export function warnOfHistory(
  tool: string,
  { details }: MongoFacts,
  sizeBytes: number,
  historySeconds: number,
): Warning[] {
  if (tool !== BUILT_IN.name || details.topology === 'standalone') return [];
  if (sizeBytes <= historySeconds * CAUTIOUS_BYTES_PER_SECOND) return [];
  const detail =
    `the server remembers the past for ${historySeconds} s, and a backup of this size may take longer; let it remember for longer ` +
    '(minSnapshotHistoryWindowInSeconds), or install the MongoDB Database Tools';
  return [{ code: 'history-too-short', detail }];
}

/** The server's default where the user may not ask for it, or the server does not know it. */
async function readHistorySeconds(session: MongoSession): Promise<number> {
  try {
    const answer = await session.command('admin', { getParameter: 1, [HISTORY_PARAMETER]: 1 });
    const seconds = Number(answer[HISTORY_PARAMETER]);
    return Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_HISTORY_SECONDS;
  } catch (error) {
    if (error instanceof PermissionDeniedError || error instanceof QueryFailedError)
      return DEFAULT_HISTORY_SECONDS;
    throw error;
  }
}

function warnOfUnknown(unknown: readonly string[]): Warning[] {
  if (unknown.length === 0) return [];
  const detail = `include_tables names what is not there (${unknown.slice(0, 10).join(', ')}), so a backup fails`;
  return [{ code: 'collections-unknown', detail }];
}

async function warnOfRights(
  session: MongoSession,
  found: readonly FoundCollection[],
  isWhole: boolean,
): Promise<Warning[]> {
  const unreadable: string[] = [];
  for (const collection of found.slice(0, MOST_TRIED)) {
    const { data } = collection;
    if (data === undefined) continue;
    try {
      await session.command(data.database, { find: data.collection, limit: 1, singleBatch: true });
    } catch (error) {
      if (!(error instanceof PermissionDeniedError)) throw error;
      unreadable.push(itemName(collection, isWhole));
    }
  }
  const warnings: Warning[] = [];
  if (unreadable.length > 0) {
    const shown = unreadable.slice(0, 10).join(', ');
    const more = unreadable.length > 10 ? ` and ${unreadable.length - 10} more` : '';
    const detail = `the user cannot read ${shown}${more}, so a backup fails; grant the role read or backup, or exclude these`;
    warnings.push({ code: 'collections-unreadable', detail });
  }
  const status = await session.command('admin', { connectionStatus: 1, showPrivileges: true });
  const privileges = documentsIn(fieldsOf(status['authInfo'])['authenticatedUserPrivileges']);
  if (privileges.length > 0 && !mayWriteAnywhere(privileges)) {
    warnings.push({
      code: 'cannot-create-databases',
      detail:
        'the user may not write to other databases; a restore beside the old one needs the role restore, readWriteAnyDatabase or another user',
    });
  }
  return warnings;
}

/** Whether privileges, as `connectionStatus` lists them, let a user fill a database that is not there yet. Pure. */
export function mayWriteAnywhere(privileges: readonly Fields[]): boolean {
  return privileges.some(({ resource, actions }) => {
    const { anyResource, db, collection } = fieldsOf(resource);
    const isAny = anyResource === true || (db === '' && collection === '');
    return isAny && Array.isArray(actions) && actions.includes('insert');
  });
}

async function warnOfSwap(session: MongoSession, databaseName: string): Promise<Warning[]> {
  if (databaseName === '') return [];
  try {
    await mustRenameAcross(session, databaseName);
    return [];
  } catch (error) {
    if (error instanceof PermissionDeniedError) return []; // a backup does not need it
    if (!(error instanceof SwapUnsupportedError)) throw error;
    return [{ code: 'swap-unsupported', detail: error.message }];
  }
}
