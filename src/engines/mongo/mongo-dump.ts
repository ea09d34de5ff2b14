import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

import type { ExitReport } from '../../process/command.js';
import { openChildSource } from '../../process/child-source.js';
import type { FoundTool } from '../../process/tool-finder.js';
import type { ContentFacts } from '../content-facts.js';
import type { Connection, Dump, DumpScope } from '../engine.js';
import { DatabaseAbsentError } from '../engines.errors.js';
import { DumpFailedError } from '../tools.errors.js';
import { ArchiveReader } from './archive/archive-reader.js';
import { openBuiltInDump } from './builtin-dump.js';
import { openReadingSession } from './chosen-member.js';
import type { DumpPlan, DumpSource } from './dump-source.js';
import type { MongoCall } from './mongo-call.js';
import { findCollections, itemName, listCollections, unknownIn } from './mongo-collections.js';
import { finishedNamespace, mongodump } from './mongo-commands.js';
import { contentOfArchive } from './mongo-content.js';
import { databaseExists } from './mongo-databases.js';
import { readServerFacts } from './mongo-server-facts.js';
import type { MongoSession } from './mongo-session.js';
import type { MongoTools } from './mongo-tools.js';
import { beyondTools } from './tool-access.js';
import { MONGO_DUMP_TOOLS } from './mongo-traits.js';
import { CollectionsUnknownError } from './mongo.errors.js';

/**
 * Opens a dump. Whoever makes the archive, it passes our reader on its way: documents are counted and hashed there and every checksum is
 * compared, so that the manifest tells of the very bytes that were stored. `call` is closed when the stream is done, or at once when
 * this rejects.
 */
export async function openDump(call: MongoCall, scope: DumpScope, tools: MongoTools): Promise<Dump> {
  try {
    const session = await call.session();
    const plan = await planDump(session, scope);
    const source = await openSource(call, session, plan, scope, tools);
    const reader = new ArchiveReader({ hashContent: scope.hashContent === true });
    // Each is destroyed with the other, and ends only after it. Its failure is the reader's own 'error'.
    pipeline(source.bytes, reader).catch(() => undefined);
    const { server } = plan;
    return {
      bytes: reader,
      format: 'archive',
      extension: 'archive',
      tool: source.tool,
      server: {
        ...server,
        details: { ...server.details, ...source.details, consistency: source.consistency },
      },
      content: contentOf(call, reader, source.bytes, plan),
      companions: [],
    };
  } catch (error) {
    await call[Symbol.asyncDispose]();
    throw error;
  }
}

/** Where nobody may have meant it, a backup of nothing is worse than none: a name that is not there is refused. */
async function planDump(session: MongoSession, scope: DumpScope): Promise<DumpPlan> {
  const server = await readServerFacts(session);
  const { databaseName } = session.connection;
  if (databaseName !== '' && !(await databaseExists(session, databaseName))) {
    throw new DatabaseAbsentError(session.connection, databaseName);
  }
  const collections = await findCollections(session, databaseName, scope, server.version);
  const unknown = unknownIn(collections, scope, databaseName === '');
  if (unknown.length > 0) throw new CollectionsUnknownError(unknown);
  return { server, databaseName, collections, usersAndRoles: scope.includeRoles === true };
}

async function openSource(
  call: MongoCall,
  session: MongoSession,
  plan: DumpPlan,
  scope: DumpScope,
  tools: MongoTools,
): Promise<DumpSource> {
  const tool = await chooseDumpTool(tools, session.connection, scope);
  if (tool === undefined) return openBuiltInDump(call, await openReadingSession(call, session), plan);
  return openTool(call, session, plan, tool);
}

/**
 * The tool that makes a dump of a scope; undefined: what is built in.
 * @throws `tool-missing`, `tool-unfit` when it was asked for by name
 */
export async function chooseDumpTool(
  tools: MongoTools,
  connection: Connection,
  scope: DumpScope,
): Promise<FoundTool | undefined> {
  const choice = MONGO_DUMP_TOOLS.find((one) => one === scope.tool) ?? 'auto';
  return await tools.choose('mongodump', choice, beyondTool(connection, scope));
}

/** What `mongodump` has no arguments for. */
export function beyondTool(
  { databaseName, tls }: Pick<Connection, 'databaseName' | 'tls'>,
  scope: DumpScope,
): string | undefined {
  const chooses = (scope.includeTables?.length ?? 0) + (scope.excludeTables?.length ?? 0) > 0;
  if (databaseName === '' && chooses) return 'it chooses collections of one database only';
  return beyondTools({ tls });
}

async function openTool(
  call: MongoCall,
  session: MongoSession,
  plan: DumpPlan,
  tool: FoundTool,
): Promise<DumpSource> {
  const { databaseName, server } = plan;
  const isWhole = databaseName === '';
  const oplog = isWhole && server.details.topology === 'replica-set';
  const wanted = new Set(plan.collections.map(({ collection }) => collection));
  const all = isWhole ? [] : await listCollections(session, databaseName);
  const command = mongodump(
    { file: tool.path, access: await call.access(session.usesTls) },
    {
      databaseName,
      exclude: all.map(({ name }) => name).filter((name) => !wanted.has(name) && !name.startsWith('system.')),
      oplog,
      usersAndRoles: plan.usersAndRoles,
    },
  );
  const failed = (reason: string, { signal }: ExitReport): DumpFailedError =>
    new DumpFailedError(tool.name, reason, { retryable: signal !== null });
  const { bytes } = await openChildSource(command, call.watch(failed, progressOf(call, plan)));
  return {
    bytes,
    tool: { name: tool.name, version: tool.version },
    consistency: oplog ? 'oplog' : 'none',
  };
}

function progressOf(call: MongoCall, plan: DumpPlan): (line: string) => void {
  const names = new Map(
    plan.collections.map((one) => [
      `${one.database}.${one.collection}`,
      itemName(one, plan.databaseName === ''),
    ]),
  );
  let itemsDone = 0;
  return (line) => {
    const item = names.get(finishedNamespace(line) ?? '');
    if (item === undefined) return;
    itemsDone += 1;
    call.onProgress?.({ item, itemsDone, itemsTotal: names.size });
  };
}

function contentOf(
  call: MongoCall,
  reader: ArchiveReader,
  source: Readable,
  plan: DumpPlan,
): Promise<ContentFacts> {
  const content = settle(call, reader, source, plan);
  content.catch(() => undefined);
  return content;
}

async function settle(
  call: MongoCall,
  reader: ArchiveReader,
  source: Readable,
  plan: DumpPlan,
): Promise<ContentFacts> {
  try {
    await finished(reader, { cleanup: true });
    return contentOfArchive(reader.content, plan.server, plan.databaseName === '');
  } finally {
    source.destroy();
    await call[Symbol.asyncDispose]();
  }
}
