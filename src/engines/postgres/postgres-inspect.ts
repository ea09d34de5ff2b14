import { Readable } from 'node:stream';

import type { Clock } from '../../clock/clock.js';
import { runChildSink } from '../../process/child-sink.js';
import { ToolFailedError } from '../../process/process.errors.js';
import type { EngineCall, Inspection } from '../engine.js';
import { ArchiveUnreadableError } from '../tools.errors.js';
import { openArchive } from './archive-head.js';
import { pgRestoreToNowhere } from './postgres-commands.js';
import { readToolFailure } from './error-reading.js';
import type { PostgresTools } from './postgres-tools.js';

const NO_SERVER = { host: '', port: 0, databaseName: '' };

/**
 * Reads a custom archive to its end with `pg_restore`, without a server. Rejects with `archive-foreign` or `archive-unreadable`
 * when it is not whole, also when bytes follow its end; with `tool-failed` when somebody has killed the tool, which says nothing of the
 * archive.
 */
export async function inspectCustom(
  bytes: Readable,
  tools: PostgresTools,
  call: EngineCall,
  clock: Clock,
): Promise<Inspection> {
  const archive = await openArchive(bytes);
  const { toc } = archive;
  const tool = await tools
    .atLeast('pg_restore', toc.toolMajor, `an archive of pg_dump ${toc.toolVersion}`)
    .catch((error: unknown) => {
      archive.bytes.destroy();
      throw error;
    });
  const metered = new Metered(archive.bytes);
  const unreadable = (reason: string): ArchiveUnreadableError => new ArchiveUnreadableError(reason);
  await runChildSink(pgRestoreToNowhere(tool.path), metered.bytes, {
    clock,
    signal: call.signal,
    onLine: call.onLog,
    failure: (report, unmet) => {
      if (unmet !== undefined) return new ArchiveUnreadableError('other bytes follow its end');
      if (report.signal !== null) return new ToolFailedError(tool.name, report);
      return readToolFailure(report, NO_SERVER, unreadable);
    },
  });
  const items = toc.entries
    .filter(({ kind }) => kind === 'TABLE DATA')
    .map(({ schema, tag }) => `${schema}.${tag}`);
  return { items: items.sort(), plainBytes: metered.sizeBytes };
}

/** Counts the bytes of a stream that passes by. */
class Metered {
  readonly bytes: Readable;
  sizeBytes = 0;

  constructor(source: Readable) {
    this.bytes = Readable.from(this.#count(source), { objectMode: false });
    this.bytes.once('close', () => source.destroy());
  }

  async *#count(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of source) {
      this.sizeBytes += chunk.length;
      yield chunk;
    }
  }
}
