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
 * when it is not whole, also when bytes follow its end; with `tool-failed` when the tool was killed or ended for a reason that says nothing of the
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
  await runChildSink(pgRestoreToNowhere(tool.path), metered.bytes, {
    clock,
    signal: call.signal,
    onLine: call.onLog,
    failure: (report, unmet) => {
      if (unmet !== undefined) return new ArchiveUnreadableError('other bytes follow its end');
      // What is not known to be said of an archive may be said of the machine: no memory, no library, no file handle.
      const failed = (): ToolFailedError => new ToolFailedError(tool.name, report);
      return report.signal === null ? readToolFailure(report, NO_SERVER, failed) : failed();
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
