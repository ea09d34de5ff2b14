import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

import type { ExitReport } from '../../process/command.js';
import { openChildSource } from '../../process/child-source.js';
import type { FoundTool } from '../../process/tool-finder.js';
import { type ContentFacts, type SchemaFacts, UNSETTLED_SCHEMA } from '../content-facts.js';
import type { Dump, DumpCompanion, DumpFormat, DumpScope, EngineCall } from '../engine.js';
import { DumpFailedError } from '../tools.errors.js';
import { beginReading, countContent, holdTables, wantsHashes } from './content-counting.js';
import { CustomDumpReader, type DumpReader, PlainDumpReader, type SeenContent } from './dump-reader.js';
import { SchemaChangedError } from './postgres.errors.js';
import type { PostgresCall } from './postgres-call.js';
import { type DumpArguments, pgDump, pgDumpGlobals } from './postgres-commands.js';
import { DumpProgress, tableOfLine } from './postgres-progress.js';
import { readSchemaFacts } from './postgres-schema.js';
import type { PostgresSession } from './postgres-session.js';
import { whileServerWorks } from './server-life.js';
import { extensionsIn, mustBeReadable, type ResolvedScope, resolveScope } from './scope.js';
import { mustBeRestorable } from './scope-dependents.js';
import { type PostgresDetails, readServerFacts } from './server-facts.js';

/** A dump in the making: everything that was read before the tool starts. */
interface Preparation {
  session: PostgresSession;
  server: Awaited<ReturnType<typeof readServerFacts>>;
  scope: ResolvedScope;
  snapshot: string;
  extensions: string[];
  /** As they were before the snapshot was taken. */
  definitions: SchemaFacts;
}

/**
 * Opens a dump whose content is known exactly. One session exports its snapshot; `pg_dump` reads in that snapshot, and the
 * session counts in it at the same time, so that the counts are those of the dump however much others write meanwhile.
 * `call` is closed when the stream and the counting are done, or at once when this rejects.
 */
export async function openDump(
  call: PostgresCall,
  chosen: { format: 'custom' | 'plain'; scope: DumpScope; onProgress?: EngineCall['onProgress'] },
  findTool: (serverMajor: number) => Promise<FoundTool>,
  companions: readonly DumpCompanion[],
): Promise<Dump> {
  try {
    const ready = await prepare(call, chosen.scope);
    const tool = await findTool(ready.server.major);
    const source = await startTool(call, tool, chosen.format, ready, chosen.onProgress);
    const bytes = chosen.format === 'custom' ? new CustomDumpReader() : new PlainDumpReader();
    // Each is destroyed with the other, and ends only after it. Its failure is the stream's own 'error'.
    pipeline(source, bytes).catch(() => undefined);
    return {
      bytes,
      format: chosen.format satisfies DumpFormat,
      extension: chosen.format === 'custom' ? 'dump' : 'sql',
      tool: { name: tool.name, version: tool.version },
      server: ready.server,
      content: contentOf(call, bytes, ready, chosen.scope),
      companions,
    };
  } catch (error) {
    await call[Symbol.asyncDispose]();
    throw error;
  }
}

/** Tables come and go. A new snapshot costs milliseconds, a new attempt of the whole backup a wait. */
const MOST_SNAPSHOTS = 10;

async function prepare(call: PostgresCall, wanted: DumpScope): Promise<Preparation> {
  const session = await call.session();
  for (let snapshots = 1; ; snapshots += 1) {
    try {
      return await prepareIn(session, call, wanted);
    } catch (error) {
      // A table was there when we listed them, and gone when we wanted to hold it.
      if (!(error instanceof SchemaChangedError) || snapshots === MOST_SNAPSHOTS) throw error;
      await session.query('ROLLBACK');
    }
  }
}

async function prepareIn(
  session: PostgresSession,
  call: PostgresCall,
  wanted: DumpScope,
): Promise<Preparation> {
  const server = await readServerFacts(session);
  // Before the snapshot, and again when the tool has read them: they hold for the dump only if nothing changed in between.
  const definitions = await readSchemaFacts(session, await resolveScope(session, wanted), server.major);
  await beginReading(session);
  const { snapshot, txids } = await session.one<{ snapshot: string; txids: string }>(
    'SELECT pg_catalog.pg_export_snapshot() AS snapshot, pg_catalog.pg_current_snapshot()::text AS txids',
  );
  const scope = await resolveScope(session, wanted);
  await mustBeReadable(session, scope, call.connection.username);
  await mustBeRestorable(session, scope, wanted.format);
  await holdTables(session, scope);
  const extensions = await extensionsIn(session, scope.schemas);
  const details: PostgresDetails = { ...server.details, snapshot, snapshot_txids: txids };
  return {
    session,
    server: { ...server, details: { ...details } },
    scope,
    snapshot,
    extensions,
    definitions,
  };
}

async function startTool(
  call: PostgresCall,
  tool: FoundTool,
  format: 'custom' | 'plain',
  ready: Preparation,
  onProgress: EngineCall['onProgress'],
): Promise<Readable> {
  const what: DumpArguments = {
    databaseName: call.connection.databaseName,
    snapshot: ready.snapshot,
    format,
    schemas: ready.scope.schemas,
    extensions: ready.extensions,
    excludeTables: ready.scope.excluded,
  };
  const progress = new DumpProgress(ready.scope.tables);
  const onLine = (line: string): void => {
    const item = tableOfLine(line);
    if (item !== undefined) onProgress?.(progress.begin(item));
  };
  const access = await call.access();
  const source = await openChildSource(
    pgDump({ file: tool.path, access }, what),
    call.watch(dumpFailed(tool), onLine),
    { expendable: format === 'custom' }, // the reader of the other format keeps pieces of what it reads
  );
  return source.bytes;
}

/** A tool that was killed, for want of memory perhaps, may live the next time. */
function dumpFailed(tool: FoundTool): (reason: string, report: ExitReport) => DumpFailedError {
  return (reason, { signal }) => new DumpFailedError(tool.name, reason, { retryable: signal !== null });
}

/**
 * Counts while the tool runs, which writes its first byte when it has read all definitions. Given out only when the stream has
 * ended well, because a torn dump has no content.
 */
function contentOf(
  call: PostgresCall,
  bytes: DumpReader,
  ready: Preparation,
  wanted: DumpScope,
): Promise<ContentFacts> {
  const counted = bytes.begun.then(() =>
    countContent(ready.session, {
      scope: ready.scope,
      hashContent: wantsHashes(wanted),
      isStandby: ready.server.details.is_standby,
      serverMajor: ready.server.major,
    }),
  );
  const counting = whileServerWorks(call, counted);
  // Counting that failed makes the dump worthless now, not after hours of reading.
  counting.catch((error: unknown) => bytes.destroy(error instanceof Error ? error : undefined));
  const content = settle(call, bytes, counting, ready);
  content.catch(() => undefined);
  return content;
}

async function settle(
  call: PostgresCall,
  bytes: DumpReader,
  counting: Promise<ContentFacts>,
  { scope, definitions }: Preparation,
): Promise<ContentFacts> {
  try {
    await finished(bytes, { cleanup: true });
    const content = await counting;
    mustHoldAll(bytes.seen, scope);
    call.finish();
    const counters = { ...content.counters, sequence_positions: bytes.seen.sequencePositions };
    return { ...content, counters, schema: settledSchema(definitions, content.schema) };
  } finally {
    await call[Symbol.asyncDispose]();
  }
}

/** The tool read part of the definitions in the snapshot and part as they were just then; of which it took which, nobody knows. */
function settledSchema(before: SchemaFacts, after: SchemaFacts): SchemaFacts {
  return before.digest === after.digest ? after : { ...after, comparableWith: UNSETTLED_SCHEMA };
}

/** Counted in the same snapshot, every table must be in the dump; unless somebody replaced it before the tool locked it. */
function mustHoldAll(seen: SeenContent, scope: ResolvedScope): void {
  const missing = scope.tables.filter(
    ({ fullName, isUnlogged }) => !isUnlogged && !seen.tables.has(fullName),
  );
  if (missing.length === 0) return;
  const names = missing.map(({ fullName }) => fullName);
  throw new SchemaChangedError(`the dump does not hold ${names.slice(0, 5).join(', ')}`);
}

/** Opens the stream of the server's roles, by the rules of `Dump.bytes`. */
export async function openRoles(
  call: PostgresCall,
  findTool: (serverMajor: number) => Promise<FoundTool>,
): Promise<Readable> {
  try {
    const session = await call.session();
    const { major } = await readServerFacts(session);
    await session.close();
    const tool = await findTool(major);
    const command = pgDumpGlobals(
      { file: tool.path, access: await call.access() },
      call.connection.databaseName,
    );
    const { bytes } = await openChildSource(command, call.watch(dumpFailed(tool)));
    void closeAfter(bytes, call);
    return bytes;
  } catch (error) {
    await call[Symbol.asyncDispose]();
    throw error;
  }
}

async function closeAfter(bytes: Readable, call: PostgresCall): Promise<void> {
  try {
    await finished(bytes, { cleanup: true });
    call.finish();
  } catch {
    // whoever reads the stream hears of it
  } finally {
    await call[Symbol.asyncDispose]();
  }
}
