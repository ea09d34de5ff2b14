import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { promisify } from 'node:util';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, type TestContext } from 'vitest';

import { COMPRESSIONS } from '../../src/archive/manifest.ts';
import { packPart, type PackProgress, type PackRequest } from '../../src/archive/pack.ts';
import { openPart } from '../../src/archive/unpack.ts';
import type { PutReceipt, Storage } from '../../src/storage/storage.ts';
import { noise, rejectionOf, within, type StorageUnderTest } from '../contracts/storage-under-test.ts';
import { fullPlace, localFolderOf, openLocal } from '../storage/local-places.ts';
import { until } from '../support/until.ts';
import { chunksOf, never, packBytes, packing, partOf, sqlLike } from './packing.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const KEY = 'shop/one';
const fullDisk = await fullPlace();

describe('packPart', () => {
  let place: StorageUnderTest;
  let storage: Storage;

  beforeEach(async () => {
    place = await openLocal();
    storage = place.storage;
  });
  afterEach(async () => {
    await place.dispose();
  });

  function request(changes: Partial<PackRequest>): PackRequest {
    return packing(storage, KEY, changes);
  }

  describe('what it stores', () => {
    test.each(COMPRESSIONS)('%s: any bytes in any chunks come back as they were', async (compression) => {
      let turn = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 40 }), async (chunks) => {
          const key = `any/${(turn += 1)}`;
          const plain = Buffer.concat(chunks);
          const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
          const packed = await packPart(packing(storage, key, { source, compression }));
          expect(packed.plain).toEqual(factsOf(plain));
          const unpacked = await openPart(storage, key, partOf(key, packed), compression, never);
          expect(Buffer.concat(await unpacked.toArray()).equals(plain)).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    test.each([0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 3])('the facts of %i bytes are true', async (size) => {
      const plain = noise(size);
      const part = await packBytes(storage, KEY, plain, 'zstd');
      const stored = factsOf(Buffer.concat(await (await storage.get(KEY)).toArray()));
      expect(part.plain).toEqual({ size_bytes: size, sha256: factsOf(plain).sha256 });
      expect(part.stored).toEqual({ size_bytes: stored.sizeBytes, sha256: stored.sha256 });
    });

    test.for([
      ['zstd', 'shop/one.dump.zst'],
      ['gzip', 'shop/one.dump.gz'],
    ] as const)('%s: the ordinary tool unpacks it', async ([compression, key], context) => {
      await skipWithout(compression, context);
      const plain = sqlLike(6 * MIB);
      await packBytes(storage, key, plain, compression);
      const { stdout } = await run(compression, ['-dc', join(localFolderOf(place), key)], {
        encoding: 'buffer',
        maxBuffer: 64 * MIB,
      });
      expect(stdout.equals(plain)).toBe(true);
    });

    test.for([
      ['zstd', 'shop/one.dump.zst'],
      ['gzip', 'shop/one.dump.gz'],
    ] as const)('%s: the ordinary tool notices a flipped bit by itself', async ([tool, key], context) => {
      await skipWithout(tool, context);
      const path = join(localFolderOf(place), key);
      await packBytes(storage, key, noise(MIB), tool); // is stored as it is: no structure of the format is hit
      const bytes = await readFile(path);
      bytes[MIB / 2] = (bytes[MIB / 2] ?? 0) ^ 1;
      await writeFile(path, bytes);
      expect(await rejectionOf(run(tool, ['-t', path]))).toMatchObject({ code: 1 });
    });

    test('a higher level packs smaller', async () => {
      const sizes: number[] = [];
      for (const level of [1, 19]) {
        const source = Readable.from(chunksOf(sqlLike(2 * MIB)));
        const packed = await packPart(packing(storage, `level/${level}`, { source, level }));
        sizes.push(packed.stored.sizeBytes);
      }
      expect(sizes[1]).toBeLessThan(sizes[0] ?? 0);
    });

    test('progress never goes back and ends with everything', async () => {
      const seen: PackProgress[] = [];
      const source = Readable.from(chunksOf(sqlLike(4 * MIB)));
      const packed = await packPart(request({ source, onProgress: (progress) => seen.push(progress) }));
      expect(seen.at(-1)).toEqual({ plainBytes: 4 * MIB, storedBytes: packed.stored.sizeBytes });
      for (const [index, each] of seen.entries()) {
        expect(each.plainBytes).toBeGreaterThanOrEqual(seen[index - 1]?.plainBytes ?? 0);
        expect(each.storedBytes).toBeGreaterThanOrEqual(seen[index - 1]?.storedBytes ?? 0);
      }
    });
  });

  describe('when something fails, its error comes out and nothing is left', () => {
    async function expectNothing(source: Readable): Promise<void> {
      expect(source.destroyed).toBe(true);
      expect(await place.everything()).toEqual([]);
    }

    test('the source, in the middle', async () => {
      const source = Readable.from(failingAfter(chunksOf(noise(3 * MIB)), new Error('the dump died')));
      expect(await rejectionOf(packPart(request({ source })))).toEqual(new Error('the dump died'));
      await expectNothing(source);
    });

    test('the source, after its last byte: the end of the bytes is not success', async () => {
      const failure = new Error('exit code 3');
      const source = new PassThrough();
      const packed = rejectionOf(packPart(request({ source, compression: 'none' })));
      source.write(noise(10));
      await until('the bytes were taken', () => source.readableLength === 0);
      source.destroy(failure);
      expect(await packed).toBe(failure);
      await expectNothing(source);
    });

    test('the source, before its first byte', async () => {
      const source = new PassThrough();
      source.destroy(new Error('no such tool'));
      expect(await rejectionOf(packPart(request({ source })))).toEqual(new Error('no such tool'));
      await expectNothing(source);
    });

    test('the source, destroyed without saying why', async () => {
      const source = new PassThrough();
      const packed = rejectionOf(packPart(request({ source })));
      source.write(noise(10));
      source.destroy();
      expect(await packed).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
      await expectNothing(source);
    });

    test('the storage, full in the middle: its own error, not the torn pipeline', async (context) => {
      await within(fullDisk, context, async (full) => {
        const source = Readable.from(chunksOf(noise(16 * MIB)));
        const error = await rejectionOf(packPart(packing(full.storage, KEY, { source })));
        expect(error).toMatchObject({ code: 'storage-full', retryable: true });
        expect(source.destroyed).toBe(true);
        expect(await full.everything()).toEqual([]);
      });
    });

    test('the storage, at once: the key is taken', async () => {
      await packBytes(storage, KEY, Buffer.from('first'), 'none');
      const source = Readable.from(chunksOf(noise(16 * MIB)));
      expect(await rejectionOf(packPart(request({ source })))).toMatchObject({ code: 'storage-key-exists' });
      expect(source.destroyed).toBe(true);
      expect(Buffer.concat(await (await storage.get(KEY)).toArray()).toString()).toBe('first');
    });

    test('a store function that throws before it takes the stream', async () => {
      const source = Readable.from(chunksOf(noise(MIB)));
      const store = (): never => {
        throw new Error('not even begun');
      };
      expect(await rejectionOf(packPart(request({ source, store })))).toEqual(new Error('not even begun'));
      await expectNothing(source);
    });

    test('an abort in the middle: its reason', async () => {
      const abort = new AbortController();
      const source = new PassThrough();
      const packed = rejectionOf(packPart(request({ source, signal: abort.signal })));
      source.write(noise(MIB));
      await until('a part is being written', async () => (await place.everything()).length > 0);
      abort.abort(new Error('cancelled'));
      expect(await packed).toBe(abort.signal.reason);
      await expectNothing(source);
    });

    test('an abort to which the source answers with an error of its own: still the reason', async () => {
      const abort = new AbortController();
      const source = new PassThrough();
      abort.signal.addEventListener('abort', () => source.destroy(new Error('pg_dump was killed')));
      const packed = rejectionOf(packPart(request({ source, signal: abort.signal })));
      source.write(noise(MIB));
      abort.abort(new Error('cancelled'));
      expect(await packed).toBe(abort.signal.reason);
      await expectNothing(source);
    });

    test('an abort while the put cleans up after a failure: still the failure', async () => {
      const abort = new AbortController();
      const source = new PassThrough();
      const store: PackRequest['store'] = async (bytes, signal) => {
        try {
          return await storage.put(KEY, bytes, signal);
        } finally {
          abort.abort(new Error('cancelled'));
        }
      };
      const packed = rejectionOf(packPart(request({ source, store, signal: abort.signal })));
      source.destroy(new Error('the dump died'));
      expect(await packed).toEqual(new Error('the dump died'));
    });

    test('an abort that comes when the object is stored changes nothing', async () => {
      const abort = new AbortController();
      const store: PackRequest['store'] = async (bytes, signal) => {
        const receipt = await storage.put(KEY, bytes, signal);
        abort.abort(new Error('too late'));
        return receipt;
      };
      const source = Readable.from(chunksOf(noise(10)));
      expect((await packPart(request({ source, store, signal: abort.signal }))).plain.sizeBytes).toBe(10);
    });

    test('an abort before the beginning', async () => {
      const source = new PassThrough();
      const signal = AbortSignal.abort(new Error('cancelled'));
      expect(await rejectionOf(packPart(request({ source, signal })))).toBe(signal.reason);
      await expectNothing(source);
    });

    test.each([
      ['zstd', 0],
      ['zstd', 20],
      ['gzip', 10],
      ['gzip', 1.5],
    ] as const)('a level that %s does not have: %d', async (compression, level) => {
      const source = new PassThrough();
      expect(await rejectionOf(packPart(request({ source, compression, level })))).toBeInstanceOf(RangeError);
      await expectNothing(source);
    });
  });

  describe('a storage that is not to be trusted', () => {
    test('stores other bytes than it was sent', async () => {
      const source = Readable.from(chunksOf(noise(MIB)));
      const store: PackRequest['store'] = (bytes, signal) =>
        storage.put(KEY, bytes.compose(flipped()), signal);
      expect(await rejectionOf(packPart(request({ source, store })))).toMatchObject({
        code: 'archive-store-mismatch',
        retryable: true,
        facts: { key: KEY },
      });
    });

    test('stores less than it was sent', async () => {
      const store: PackRequest['store'] = async (bytes) => {
        await bytes.forEach(() => undefined);
        return storage.put(KEY, Readable.from([]), never);
      };
      const source = Readable.from(chunksOf(noise(MIB)));
      expect(await rejectionOf(packPart(request({ source, store })))).toMatchObject({
        code: 'archive-store-mismatch',
      });
    });

    test('confirms without having read everything', async () => {
      const store: PackRequest['store'] = async (): Promise<PutReceipt> => ({
        key: KEY,
        ...factsOf(Buffer.alloc(0)),
      });
      const source = Readable.from(chunksOf(noise(16 * MIB)));
      expect(await rejectionOf(packPart(request({ source, store })))).toMatchObject({
        code: 'archive-store-mismatch',
      });
      expect(source.destroyed).toBe(true);
    });
  });
});

function factsOf(bytes: Buffer): { sizeBytes: number; sha256: string } {
  return { sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function* failingAfter(chunks: Iterable<Buffer>, error: Error): Generator<Buffer> {
  yield* chunks;
  throw error;
}

/** Skips a test, saying so, on a machine without a tool. */
async function skipWithout(tool: string, context: TestContext): Promise<void> {
  const error = await run(tool, ['--version']).catch((failure: unknown) => failure);
  if (error instanceof Error) context.skip(`${tool} is not installed`);
}

/** Changes one bit on the way. */
function flipped(): Transform {
  let isDone = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      const changed = Buffer.from(chunk);
      if (!isDone) changed[0] = (changed[0] ?? 0) ^ 1;
      isDone = true;
      callback(null, changed);
    },
  });
}
