import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { runChildSink } from '../../process/child-sink.js';
import type { FoundTool } from '../../process/tool-finder.js';
import type { RestoreChoice, RestoreOutcome } from '../engine.js';
import { ArchiveUnreadableError, RestoreFailedError } from '../tools.errors.js';
import type { ArchivePrelude } from './archive/archive.js';
import { ArchiveReader } from './archive/archive-reader.js';
import { FrameWalker } from './archive/frame-walker.js';
import { type LoadPlan, outcomeOf, planLoad } from './archive-plan.js';
import type { MongoCall } from './mongo-call.js';
import { failedDocuments, finishedNamespace, mongorestore } from './mongo-commands.js';
import { listCollections } from './mongo-collections.js';
import type { MongoSession } from './mongo-session.js';

/**
 * Loads an archive by `mongorestore`. The archive passes our own reader on its way, so that a broken one is a failure whatever the tool
 * makes of it; and so are documents that it says it could not restore, whatever its exit code is.
 */
export async function restoreByTool(
  call: MongoCall,
  bytes: Readable,
  choice: Pick<RestoreChoice, 'items' | 'jobs'>,
  tool: FoundTool,
): Promise<RestoreOutcome> {
  const peeked = await peekPrelude(bytes);
  const plan = planLoad(peeked.prelude, choice.items);
  const session = await call.session();
  const target = call.connection.databaseName;
  const before = await namesIn(session, target);
  try {
    if (plan.database === undefined) return await loadNothing(peeked.bytes, tool, plan, choice);
    await runTool(call, peeked.bytes, choice, tool, { plan, session });
  } catch (error) {
    await call.undo(async (late) => {
      const left = (await namesIn(late, target)).filter((name) => !before.includes(name));
      for (const name of left) await late.reading(() => late.db(target).dropCollection(name));
    });
    throw error;
  }
  return { tool: { name: tool.name, version: tool.version }, ...outcomeOf(plan, choice.items) };
}

/** An archive without collections is read to its end all the same: it may be broken. */
async function loadNothing(
  bytes: Readable,
  tool: FoundTool,
  plan: LoadPlan,
  { items }: Pick<RestoreChoice, 'items'>,
): Promise<RestoreOutcome> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await pipeline(bytes, new ArchiveReader(), nowhere);
  return { tool: { name: tool.name, version: tool.version }, ...outcomeOf(plan, items) };
}

async function runTool(
  call: MongoCall,
  bytes: Readable,
  { items, jobs }: Pick<RestoreChoice, 'items' | 'jobs'>,
  tool: FoundTool,
  { plan, session }: { plan: LoadPlan; session: MongoSession },
): Promise<void> {
  const access = await call.access(session.usesTls);
  const command = mongorestore(
    { file: tool.path, access },
    {
      from: plan.database ?? '',
      to: call.connection.databaseName,
      ...(items !== undefined && { collections: plan.collections.map(({ entry }) => entry.collection) }),
      jobs: jobs ?? 1,
    },
  );
  const itemsTotal = plan.collections.length;
  let itemsDone = 0;
  const watch = call.watch(
    (reason, { signal }) => new RestoreFailedError(tool.name, reason, { retryable: signal !== null }),
    (line) => {
      const item = finishedNamespace(line)?.slice(call.connection.databaseName.length + 1);
      if (item === undefined) return;
      itemsDone += 1;
      call.onProgress?.({ item, itemsDone: Math.min(itemsDone, itemsTotal), itemsTotal });
    },
  );
  const reader = new ArchiveReader();
  // Each is destroyed with the other, and ends only after it. Its failure is the reader's own 'error'.
  pipeline(bytes, reader).catch(() => undefined);
  await runChildSink(command, reader, {
    ...watch,
    accepts: ({ code, stderr }) => code === 0 && failedDocuments(stderr) === 0,
  });
}

/** Views, collections and the server's own, by name. */
async function namesIn(session: MongoSession, database: string): Promise<string[]> {
  return (await listCollections(session, database)).map(({ name }) => name);
}

/** Reads an archive's prelude, and gives all of its bytes back. Rejects when they are no archive's; `bytes` is destroyed then. */
export async function peekPrelude(bytes: Readable): Promise<{ prelude: ArchivePrelude; bytes: Readable }> {
  const preludes: ArchivePrelude[] = [];
  const walker = new FrameWalker({
    prelude: (found) => void preludes.push(found),
    namespace: () => undefined,
    document: () => undefined,
  });
  const seen: Buffer[] = [];
  const chunks = (bytes as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    while (preludes.length === 0) {
      const next = await chunks.next();
      if (next.done === true) {
        walker.end();
        throw new ArchiveUnreadableError('it ends within its list of collections');
      }
      seen.push(next.value);
      walker.read(next.value);
    }
  } catch (error) {
    bytes.destroy();
    throw error;
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      yield* seen;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      bytes.destroy();
    }
  }
  const [prelude] = preludes;
  if (prelude === undefined) throw new ArchiveUnreadableError('it has no list of collections');
  return { prelude, bytes: Readable.from(all(), { objectMode: false }) };
}
