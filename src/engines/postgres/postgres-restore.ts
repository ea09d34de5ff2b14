import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { runChildSink } from '../../process/child-sink.js';
import type { FoundTool } from '../../process/tool-finder.js';
import type { EngineCall, RestoreChoice, RestoreOutcome } from '../engine.js';
import { WorkDiskFullError } from '../engines.errors.js';
import { ArchiveUnreadableError, RestoreFailedError } from '../tools.errors.js';
import { type OpenArchive, openArchive } from './archive-head.js';
import type { TocEntry } from './archive-toc.js';
import { chooseTables } from './postgres-items.js';
import type { PostgresCall } from './postgres-call.js';
import { pgRestore, pgRestoreToNowhere } from './postgres-commands.js';
import { tableOfLine } from './postgres-progress.js';
import type { PostgresTools } from './postgres-tools.js';
import { planRestore, type RestorePlan } from './restore-plan.js';
import { whileToolWorks } from './server-life.js';
import { readTarget } from './restore-target.js';
import { needsTolerance, ToleratedErrors } from './tolerated-errors.js';

/**
 * Restores a custom archive. One worker reads the stream and restores in a single transaction, so that an archive which
 * breaks off leaves nothing. Several workers, or a choice of tables, need the archive in a file: that is read to its end
 * first, so that a broken one is refused before anything is touched.
 */
export async function restoreCustom(
  call: PostgresCall,
  bytes: Readable,
  choice: RestoreChoice,
  tools: PostgresTools,
  onProgress: EngineCall['onProgress'],
): Promise<RestoreOutcome> {
  const archive = await openArchive(bytes);
  try {
    const { toc } = archive;
    const session = await call.session();
    const target = await readTarget(session, toc.serverMajor);
    await session.close();
    const chosen = choice.items === undefined ? undefined : chooseTables(toc, choice.items);
    const plan = planRestore(toc, target, chosen?.entries);
    const major = Math.max(target.major, toc.toolMajor);
    const tool = await tools.atLeast('pg_restore', major, `an archive of pg_dump ${toc.toolVersion}`);
    const tolerates = needsTolerance(tool.major, target.major);
    const run = new PgRestoreRun(call, tool, plan, { jobs: choice.jobs ?? 1, tolerates, onProgress });
    const notes = await run.restore(archive, choice);
    return {
      tool: { name: tool.name, version: tool.version },
      notes: [...(chosen?.notes ?? []), ...plan.notes, ...notes],
      items: chosen?.items,
      emptyItems: chosen?.emptyItems,
    };
  } finally {
    archive.bytes.destroy();
  }
}

class PgRestoreRun {
  readonly #call: PostgresCall;
  readonly #tool: FoundTool;
  readonly #plan: RestorePlan;
  readonly #how: { jobs: number; tolerates: boolean; onProgress: EngineCall['onProgress'] };
  readonly #errors = new ToleratedErrors();

  constructor(
    call: PostgresCall,
    tool: FoundTool,
    plan: RestorePlan,
    how: { jobs: number; tolerates: boolean; onProgress: EngineCall['onProgress'] },
  ) {
    this.#call = call;
    this.#tool = tool;
    this.#plan = plan;
    this.#how = how;
  }

  /** Restores, and gives notes of what was tolerated. */
  async restore(archive: OpenArchive, choice: RestoreChoice): Promise<string[]> {
    const isStaged = this.#how.jobs > 1 || choice.items !== undefined;
    const archiveFile = isStaged ? await this.#stage(archive.bytes, choice.workDir) : undefined;
    const access = await this.#call.access();
    const listFile = this.#plan.isComplete ? undefined : join(access.folder, 'entries');
    if (listFile !== undefined) await writeFile(listFile, listOf(this.#plan.entries), { mode: 0o600 });
    const isAtomic = this.#how.jobs === 1 && !this.#how.tolerates && this.#plan.isAtomic;
    const command = pgRestore(
      { file: this.#tool.path, access },
      {
        databaseName: this.#call.connection.databaseName,
        singleTransaction: isAtomic,
        exitOnError: !this.#how.tolerates,
        jobs: this.#how.jobs,
        noOwner: this.#plan.noOwner,
        noTablespaces: this.#plan.noTablespaces,
        listFile,
        archiveFile,
      },
    );
    const input = archiveFile === undefined ? archive.bytes : Readable.from([]);
    await runChildSink(command, input, {
      ...this.#call.watch(
        (reason, { signal }) =>
          new RestoreFailedError(this.#tool.name, reason, { retryable: signal !== null }),
        this.#watchLines(),
      ),
      accepts: (report) => this.#errors.accepts(report),
    });
    return this.#errors.notes;
  }

  #watchLines(): (line: string) => void {
    const itemsTotal = this.#plan.entries.filter(({ kind }) => kind === 'TABLE DATA').length;
    let itemsDone = -1;
    return (line) => {
      this.#errors.read(line);
      const item = tableOfLine(line);
      if (item === undefined) return;
      itemsDone += 1;
      this.#how.onProgress?.({ item, itemsDone: Math.min(itemsDone, itemsTotal), itemsTotal });
    };
  }

  /** Writes the archive to a private file, which goes with the call, and reads that file to its end. */
  async #stage(bytes: Readable, workDir: string): Promise<string> {
    const folder = await this.#call.folderIn(workDir);
    const file = join(folder, 'archive');
    try {
      await pipeline(bytes, createWriteStream(file, { mode: 0o600, flags: 'wx' }), {
        signal: this.#call.signal,
      });
    } catch (error) {
      this.#call.signal.throwIfAborted();
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
        throw new WorkDiskFullError(workDir, { cause: error });
      }
      throw error;
    }
    const watch = this.#call.watch((reason) => new ArchiveUnreadableError(reason));
    const reading = runChildSink(pgRestoreToNowhere(this.#tool.path, file), Readable.from([]), watch);
    await whileToolWorks(this.#call, reading);
    return file;
  }
}

/** A list for `--use-list`: only the numbers count. */
function listOf(entries: readonly TocEntry[]): string {
  return entries.map(({ dumpId }) => `${dumpId};\n`).join('');
}
