import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { CustomDumpReader } from '../../src/engines/postgres/dump-reader.ts';
import { allocateExpendable, freeExpendable } from '../../src/process/expendable-buffers.ts';
import { newestPostgresServer } from '../support/postgres-servers.ts';
import { freshShop } from '../support/shop.ts';
import { connectionTo, postgresEngine } from './postgres-under-test.ts';

let workDir: string;
beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'backstop-reader-'));
});
afterAll(async () => {
  await rm(workDir, { recursive: true });
});

test('the reader of a custom dump keeps no piece of a chunk, which others free', async () => {
  const server = newestPostgresServer();
  await using shop = await freshShop(server);
  const engine = postgresEngine(server.clientBinDirs, workDir);
  const dump = await engine.dump(
    connectionTo(server, shop.name),
    {},
    { signal: AbortSignal.timeout(60_000) },
  );
  const archive = await buffer(dump.bytes);
  await dump.content;

  // Sizes at which chunks end within numbers, within the table of contents, and within rows.
  for (const size of [1000, 1001, 4096]) {
    function* chunks(): Generator<Buffer> {
      for (let at = 0; at < archive.length; at += size) {
        const piece = archive.subarray(at, at + size);
        const chunk = allocateExpendable(piece.length);
        piece.copy(chunk);
        yield chunk;
      }
    }
    const reader = new CustomDumpReader();
    const last = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        freeExpendable(chunk);
        done();
      },
    });
    await pipeline(Readable.from(chunks()), reader, last);
    expect([...reader.seen.tables].sort()).toEqual(['public.customers', 'public.empty', 'public.orders']);
  }
});
