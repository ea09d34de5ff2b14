import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, createZstdCompress, gunzip, zstdDecompress } from 'node:zlib';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { JoinedCompressor } from './joined-compressor.js';

const FORMATS = [
  ['zstd', createZstdCompress, promisify(zstdDecompress)],
  ['gzip', createGzip, promisify(gunzip)],
] as const;

test.each(FORMATS)(
  '%s: any chunks, in blocks of any size, are what is compressed',
  async (_, make, unpack) => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 25 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 12 }), async (given, blockBytes) => {
        const source = Readable.from(given.map((chunk) => Buffer.from(chunk)));
        const packed = await buffer(source.compose(new JoinedCompressor(make(), blockBytes)));
        expect(await unpack(packed)).toEqual(Buffer.concat(given));
      }),
    );
  },
);

test.each([1, 999, 1000, 1001, 2000, 2001, 5000, 5001])('%i bytes are one frame of zstd', async (length) => {
  const plain = Buffer.alloc(length, 'x');
  const packed = await buffer(
    Readable.from([plain], { objectMode: false }).compose(new JoinedCompressor(createZstdCompress(), 1000)),
  );
  expect((await promisify(zstdDecompress)(packed)).equals(plain)).toBe(true);
  // Every frame begins with the same four bytes.
  expect(packed.indexOf(packed.subarray(0, 4), 4)).toBe(-1);
});

test('a block is used again only when the compressor is through with it, also with a slow reader', async () => {
  const plain = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 2_654_435_761) >>> 24));
  const stage = new JoinedCompressor(createZstdCompress({ chunkSize: 1024 }), 10_000);
  const packed: Buffer[] = [];
  const source = Readable.from(
    Array.from({ length: 300 }, (_, at) => plain.subarray(at * 10_000, (at + 1) * 10_000)),
  );
  await pipeline(source, stage, async (bytes: AsyncIterable<Buffer>) => {
    for await (const chunk of bytes) {
      packed.push(Buffer.from(chunk));
      await new Promise(setImmediate);
    }
  });
  expect((await promisify(zstdDecompress)(Buffer.concat(packed))).equals(plain)).toBe(true);
});

test('an error of the compressor is its own, and destroying it destroys the compressor', async () => {
  const compressor = createZstdCompress();
  const stage = new JoinedCompressor(compressor);
  const failed = new Promise((resolve) => stage.once('error', resolve));
  compressor.destroy(new Error('no memory'));
  expect(await failed).toEqual(new Error('no memory'));

  const other = createZstdCompress();
  new JoinedCompressor(other).destroy();
  expect(other.destroyed).toBe(true);
});
