import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { BSON } from 'mongodb';

import type * as Reading from '../../src/engines/mongo/archive/archive-reader.ts';
import type * as Writing from '../../src/engines/mongo/archive/archive-writer.ts';
import { alternate, medianOf } from '../harness/alternate.ts';
import type { Bench } from '../harness/bench.ts';
import { built } from '../harness/built.ts';
import { goal, megabytes } from '../harness/figures.ts';
import type { Section, Table } from '../harness/section.ts';

/** As a pipe gives them. */
const CHUNK_BYTES = 64 * 1024;
const COLLECTION_BYTES = 64e6;
const COLLECTIONS = 4;
const SIZES = [60, 300, 10_000] as const;

/** The reader that every MongoDB archive passes on its way, by itself: no server, no disk. */
export const mongoReader: Section = {
  name: 'mongo-reader',
  about: 'the reader of MongoDB archives: MB/s of one core, memory',
  async run(bench: Bench): Promise<Table[]> {
    const { ArchiveReader } = await built<typeof Reading>('engines/mongo/archive/archive-reader.js');
    const { ArchiveWriter } = await built<typeof Writing>('engines/mongo/archive/archive-writer.js');
    const rows: string[][] = [];
    for (const documentBytes of SIZES) {
      const archive = sampleArchive(new ArchiveWriter(), documentBytes);
      let grown = 0;
      const contestant = (name: string, hashContent: boolean) => ({
        name,
        run: async (): Promise<number> => {
          const before = process.memoryUsage().rss;
          const cpu = process.cpuUsage();
          const away = new Writable({ write: (_chunk, _encoding, done) => done() });
          await pipeline(inChunks(archive), new ArchiveReader({ hashContent }), away);
          const { user, system } = process.cpuUsage(cpu);
          grown = Math.max(grown, process.memoryUsage().rss - before);
          return (user + system) / 1e6;
        },
      });
      const counted = contestant('counted', false);
      const hashed = contestant('counted and hashed', true);
      const laps = await alternate([counted, hashed], bench.runs, bench.say);
      const speed = (name: string): number => archive.length / 1e6 / medianOf(laps, name);
      rows.push([
        `documents of ${documentBytes} bytes`,
        `${speed('counted').toFixed(0)} MB/s`,
        goal('≥ 500 MB/s', speed('counted') >= 500),
        `${speed('counted and hashed').toFixed(0)} MB/s`,
        megabytes(grown),
      ]);
    }
    return [
      {
        title: 'Reader of MongoDB archives',
        columns: ['', 'counted, checksums compared', 'goal', 'with content hashes', 'memory grew by'],
        rows,
        notes: [
          `Archives of ${megabytes(COLLECTIONS * COLLECTION_BYTES)} in chunks of 64 KiB, per second of CPU in this process.`,
        ],
      },
    ];
  },
};

function sampleArchive(writer: Writing.ArchiveWriter, documentBytes: number): Buffer {
  const empty = BSON.calculateObjectSize({ _id: 0, note: '' });
  const document = BSON.serialize({ _id: 0, note: 'x'.repeat(documentBytes - empty) });
  const batch = Buffer.alloc(Math.floor(COLLECTION_BYTES / document.length) * document.length, document);
  const names = Array.from({ length: COLLECTIONS }, (_, n) => ({ database: 'bench', collection: `c${n}` }));
  const header = { concurrentCollections: 1, formatVersion: '0.1', serverVersion: '8.0.0', toolVersion: '' };
  const entries = names.map((name) => ({ ...name, metadata: '', size: 0, type: '' }));
  const body = names.flatMap((name) => [...writer.documents(name, batch), ...writer.end(name)]);
  return Buffer.concat([...writer.prelude({ header, entries }), ...body]);
}

function inChunks(archive: Buffer): Readable {
  let at = 0;
  return new Readable({
    read() {
      const chunk = archive.subarray(at, at + CHUNK_BYTES);
      at += CHUNK_BYTES;
      this.push(chunk.length > 0 ? chunk : null);
    },
  });
}
