import { createHash } from 'node:crypto';
import { readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { ArchiveDamagedError } from '../../src/archive/archive.errors.ts';
import { COMPRESSIONS, type Compression, type ManifestPart } from '../../src/archive/manifest.ts';
import { openPart, verifyPart } from '../../src/archive/unpack.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { noise, rejectionOf, type StorageUnderTest } from '../contracts/storage-under-test.ts';
import { localFolderOf, openLocal } from '../storage/local-places.ts';
import { until } from '../support/until.ts';
import { never, packBytes, sqlLike } from './packing.ts';

const MIB = 1024 * 1024;
const KEY = 'shop/one';

let place: StorageUnderTest;
let storage: Storage;
let file: string;

beforeEach(async () => {
  place = await openLocal();
  storage = place.storage;
  file = join(localFolderOf(place), KEY);
});
afterEach(async () => {
  await place.dispose();
});

/** Reads a part as a restore does: every byte into a consumer that is told of the end. Gives what was told to have ended well. */
async function unpacked(part: ManifestPart, compression: Compression, signal = never): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(await openPart(storage, KEY, part, compression, signal), async (bytes) => {
    for await (const chunk of bytes as AsyncIterable<Buffer>) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

/** The same part, as if a manifest had been made for these stored bytes: only the plain digest can tell. */
function believing(part: ManifestPart, stored: Buffer): ManifestPart {
  return {
    ...part,
    stored: { size_bytes: stored.length, sha256: createHash('sha256').update(stored).digest('hex') },
  };
}

describe.each(COMPRESSIONS)('an archive packed with %s', (compression) => {
  test.each([0, 1, 3 * MIB])('of %i bytes is whole, and comes back', async (size) => {
    const plain = sqlLike(size);
    const part = await packBytes(storage, KEY, plain, compression);
    await verifyPart(storage, KEY, part, never);
    expect((await unpacked(part, compression)).equals(plain)).toBe(true);
  });

  test('is refused when it ends early, wherever that is', async () => {
    const part = await packBytes(storage, KEY, sqlLike(400), compression);
    const whole = await readFile(file);
    expect(whole.length).toBeGreaterThan(100);
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.subarray(0, length);
      await writeFile(file, cut);
      await expectDamaged(part, compression);
      expect(await rejectionOf(unpacked(believing(part, cut), compression))).toBeInstanceOf(
        ArchiveDamagedError,
      );
    }
  });

  test('is refused when any one bit is another', async () => {
    const part = await packBytes(storage, KEY, sqlLike(3000), compression);
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length * 8 - 1 }), async (bit) => {
        const changed = Buffer.from(whole);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await writeFile(file, changed);
        await expectDamaged(part, compression);
        // Some bits of the formats mean nothing (gzip's time, its system): then the plain bytes are the true ones.
        const read = await unpacked(believing(part, changed), compression).catch((error: unknown) => error);
        if (read instanceof Buffer) expect(factOf(read)).toBe(part.plain.sha256);
        else expect(read).toBeInstanceOf(ArchiveDamagedError);
      }),
      { numRuns: compression === 'none' ? 100 : 1000 },
    );
  });

  test.each([
    ['a blank', Buffer.from(' ')],
    ['zeros', Buffer.alloc(512)],
    ['noise', noise(100)],
    ['much noise', noise(2 * MIB)],
  ])('is refused when %s follows it', async (_name, trailer) => {
    const part = await packBytes(storage, KEY, sqlLike(5000), compression);
    const longer = Buffer.concat([await readFile(file), trailer]);
    await writeFile(file, longer);
    await expectDamaged(part, compression);
    expect(await rejectionOf(unpacked(believing(part, longer), compression))).toBeInstanceOf(
      ArchiveDamagedError,
    );
  });

  test('is refused when it stands there twice', async () => {
    const part = await packBytes(storage, KEY, sqlLike(5000), compression);
    const whole = await readFile(file);
    const twice = Buffer.concat([whole, whole]);
    await writeFile(file, twice);
    await expectDamaged(part, compression);
    expect(await rejectionOf(unpacked(believing(part, twice), compression))).toBeInstanceOf(
      ArchiveDamagedError,
    );
  });

  test('is refused when it is another one', async () => {
    await packBytes(storage, 'shop/other', sqlLike(5001), compression);
    const part = await packBytes(storage, KEY, sqlLike(5000), compression);
    const other = await readFile(join(localFolderOf(place), 'shop/other'));
    await writeFile(file, other);
    await expectDamaged(part, compression);
    expect(await rejectionOf(unpacked(believing(part, other), compression))).toMatchObject({
      code: 'archive-damaged',
      facts: { check: 'plain-size', expected: 5000, found: 5001 },
    });
  });

  test('never ends for its consumer before it has been found whole', async () => {
    const part = await packBytes(storage, KEY, sqlLike(2 * MIB), compression);
    const whole = await readFile(file);
    // The last byte of each format is part of a checksum or of the data.
    whole[whole.length - 1] = (whole.at(-1) ?? 0) ^ 1;
    await writeFile(file, whole);
    const seen: string[] = [];
    const stream = await openPart(storage, KEY, part, compression, never);
    stream.on('end', () => seen.push('end'));
    stream.on('error', (error) => seen.push(error.name));
    stream.resume();
    await until('the stream is over', () => stream.closed);
    expect(seen).toEqual(['ArchiveDamagedError']);
  });
});

async function expectDamaged(part: ManifestPart, compression: Compression): Promise<void> {
  const errors = [
    await rejectionOf(verifyPart(storage, KEY, part, never)),
    await rejectionOf(unpacked(part, compression)),
  ];
  for (const error of errors)
    expect(error).toMatchObject({ code: 'archive-damaged', retryable: false, facts: { key: KEY } });
}

function factOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('the damage is named', () => {
  test.each([
    ['cut', 'stored-size', (bytes: Buffer) => bytes.subarray(0, 10)],
    [
      'changed',
      'stored-sha256',
      (bytes: Buffer) => Buffer.from(bytes.map((each, at) => (at === 100 ? each ^ 1 : each))),
    ],
  ])('%s: %s', async (_name, check, damage) => {
    const part = await packBytes(storage, KEY, noise(1000), 'none');
    await writeFile(file, damage(await readFile(file)));
    const facts = { facts: { check, expected: expect.anything(), found: expect.anything() } };
    expect(await rejectionOf(verifyPart(storage, KEY, part, never))).toMatchObject(facts);
    expect(await rejectionOf(unpacked(part, 'none'))).toMatchObject(facts);
  });

  test('behind the end of a zstd frame', async () => {
    const part = await packBytes(storage, KEY, noise(1000), 'zstd');
    const longer = Buffer.concat([await readFile(file), noise(2 * MIB)]);
    await writeFile(file, longer);
    expect(await rejectionOf(unpacked(believing(part, longer), 'zstd'))).toMatchObject({
      facts: { check: 'trailing-data' },
    });
  });

  test('something that was never compressed', async () => {
    const part = await packBytes(storage, KEY, noise(1000), 'none');
    expect(await rejectionOf(unpacked(part, 'zstd'))).toMatchObject({ facts: { check: 'compression' } });
  });
});

describe('reading a part', () => {
  test('that is gone says so', async () => {
    const part = await packBytes(storage, KEY, noise(10), 'zstd');
    await unlink(file);
    const missing = { code: 'archive-missing', kind: 'not-found' };
    expect(await rejectionOf(verifyPart(storage, KEY, part, never))).toMatchObject(missing);
    expect(await rejectionOf(openPart(storage, KEY, part, 'zstd', never))).toMatchObject(missing);
  });

  test('from a destination that is lost is no statement about the archive', async () => {
    const part = await packBytes(storage, KEY, noise(10), 'zstd');
    await place.lose();
    const lost = { code: 'storage-unavailable', retryable: true };
    expect(await rejectionOf(verifyPart(storage, KEY, part, never))).toMatchObject(lost);
    expect(await rejectionOf(openPart(storage, KEY, part, 'zstd', never))).toMatchObject(lost);
  });

  test('that is cut meanwhile gives the error of the storage', async () => {
    const part = await packBytes(storage, KEY, noise(8 * MIB), 'none');
    const stream = await openPart(storage, KEY, part, 'none', never);
    const reading = stream.forEach(() => truncate(file, 6 * MIB));
    expect(await rejectionOf(reading)).toMatchObject({ code: 'storage-short-read', retryable: true });
  });

  test('ends with the reason of an abort', async () => {
    const part = await packBytes(storage, KEY, noise(8 * MIB), 'zstd');
    const before = AbortSignal.abort(new Error('too late'));
    expect(await rejectionOf(openPart(storage, KEY, part, 'zstd', before))).toBe(before.reason);
    expect(await rejectionOf(verifyPart(storage, KEY, part, before))).toBe(before.reason);
    for (const read of [
      (signal: AbortSignal, abort: () => void) =>
        openPart(storage, KEY, part, 'zstd', signal).then((stream) => stream.forEach(abort)),
      (signal: AbortSignal, abort: () => void) => verifyPart(storage, KEY, part, signal, abort),
    ]) {
      const abort = new AbortController();
      const reading = read(abort.signal, () => abort.abort(new Error('cancelled')));
      expect(await rejectionOf(reading)).toBe(abort.signal.reason);
    }
  });

  test('reads no further than its consumer wants', async () => {
    const part = await packBytes(storage, KEY, noise(32 * MIB), 'none');
    let readBytes = 0;
    const counting = new Proxy(storage, {
      get: (target, name) =>
        name !== 'get'
          ? Reflect.get(target, name, target)
          : async (key: string) => {
              const stream = await target.get(key);
              const push = stream.push.bind(stream);
              stream.push = (chunk: Buffer | null, ...rest) => {
                readBytes += chunk?.length ?? 0;
                return push(chunk, ...rest);
              };
              return stream;
            },
    });
    const stream = await openPart(counting, KEY, part, 'none', never);
    await until('the stream is full', () => stream.readableLength > 0);
    let last = -1;
    await until('nothing moves', () => {
      const isStill = last === readBytes;
      last = readBytes;
      return isStill;
    });
    expect(readBytes).toBeLessThan(4 * MIB);
    stream.destroy();
  });

  test('tells how far a verification is', async () => {
    const part = await packBytes(storage, KEY, noise(2 * MIB), 'none');
    const seen: number[] = [];
    await verifyPart(storage, KEY, part, never, (bytes) => seen.push(bytes));
    expect(seen.at(-1)).toBe(2 * MIB);
    expect(seen).toEqual([...seen].sort((left, right) => left - right));
  });
});
