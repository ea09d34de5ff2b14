import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { packPart, type PackedPart, type PackRequest } from '../../src/archive/pack.ts';
import type { PutReceipt } from '../../src/storage/storage.ts';
import { noise, rejectionOf, type StorageUnderTest } from '../contracts/storage-under-test.ts';
import { openLocal } from '../storage/local-places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';
import { chunksOf, packing } from './packing.ts';

const MIB = 1024 * 1024;
const KEY = 'shop/one';
const STALL_MS = 60_000;
const HOUR_MS = 3_600_000;

describe('the stall guard', () => {
  let place: StorageUnderTest;
  beforeEach(async () => {
    place = await openLocal();
  });
  afterEach(async () => {
    await place.dispose();
  });

  function request(changes: Partial<PackRequest>): PackRequest {
    return packing(place.storage, KEY, { stallMs: STALL_MS, ...changes });
  }

  describe('a source', () => {
    test('that stands still is given up after stallMs and not a millisecond before, by its name', async () => {
      const clock = new ManualClock();
      const source = new PassThrough();
      const { packed, seen } = watched(request({ source, clock }));
      const failure = rejectionOf(packed);
      // The second time the guard must have measured from the last byte, and not from its own last look.
      for (const bytes of [50_000, 100_000]) {
        clock.advance(STALL_MS - 1);
        source.write(noise(50_000));
        await until('the bytes went through', () => seen.plainBytes === bytes && clock.sleeping === 1);
      }
      clock.advance(STALL_MS - 1);
      await stillness(clock, seen);
      expect([source.destroyed, clock.sleeping]).toEqual([false, 1]);
      clock.advance(1);
      expect(await failure).toMatchObject({
        code: 'archive-stalled',
        kind: 'timeout',
        retryable: true,
        facts: { side: 'source', plainBytes: 100_000, stallMs: STALL_MS },
      });
      expect(source.destroyed).toBe(true);
      expect(await place.everything()).toEqual([]);
    });

    test('that gives a byte every stallMs - 1 is let go on for an hour', async () => {
      const clock = new ManualClock();
      const source = new PassThrough();
      const { packed, seen } = watched(request({ source, clock }));
      let bytes = 0;
      while (clock.monotonicMs() < HOUR_MS) {
        source.write('x');
        bytes += 1;
        await until('the byte went through', () => seen.plainBytes === bytes && clock.sleeping === 1);
        clock.advance(STALL_MS - 1);
      }
      source.end();
      expect((await packed).plain.sizeBytes).toBe(bytes);
      expect(clock.sleeping).toBe(0);
    });
  });

  // Without compression everything happens in this thread, so that a transfer can be seen to stand.
  describe('a storage', () => {
    test('that takes one chunk and then nothing is given up after stallMs and not a millisecond before, by its name', async () => {
      const clock = new ManualClock();
      const source = Readable.from(endless());
      const shelf = new SlowShelf(clock, () => Infinity);
      const { packed, seen } = watched(request({ source, clock, compression: 'none', store: shelf.store }));
      const failure = rejectionOf(packed);
      await stillness(clock, seen);
      expect(shelf.taken).toBe(1);
      clock.advance(STALL_MS - 1);
      await stillness(clock, seen);
      expect([source.destroyed, shelf.taken]).toEqual([false, 1]);
      clock.advance(1);
      const error = await failure;
      expect(error).toMatchObject({
        code: 'archive-stalled',
        kind: 'timeout',
        retryable: true,
        facts: { side: 'storage', stallMs: STALL_MS },
      });
      expect((error as { facts: { plainBytes: number } }).facts.plainBytes).toBeLessThan(MIB);
      expect([source.destroyed, clock.sleeping]).toEqual([true, 0]);
    });

    test('that takes a chunk every stallMs - 1 is let go on for an hour', async () => {
      const clock = new ManualClock();
      const isHourOver = (): boolean => clock.monotonicMs() >= HOUR_MS;
      const source = Readable.from(endless(isHourOver));
      const shelf = new SlowShelf(clock, () => (isHourOver() ? 0 : STALL_MS - 1));
      const { packed, seen } = watched(request({ source, clock, compression: 'none', store: shelf.store }));
      for (let chunks = 1; !isHourOver(); chunks += 1) {
        await until('the storage and the guard sleep', () => clock.sleeping === 2);
        await stillness(clock, seen);
        expect(shelf.taken).toBe(chunks);
        clock.advance(STALL_MS - 1);
      }
      expect((await packed).stored.sizeBytes).toBe(seen.storedBytes);
      expect(clock.sleeping).toBe(0);
    });
  });

  // A storage behind a compressor shows no sign of having stopped that a test could wait for; so here real time passes.
  describe('in real time, with a compressor,', () => {
    const BRIEF_MS = 500;

    test('stops a storage that takes nothing, says so, and has not read ahead much', async () => {
      const source = Readable.from(endless());
      const error = await rejectionOf(packPart(request({ source, stallMs: BRIEF_MS, store: untilAborted })));
      expect(error).toMatchObject({ code: 'archive-stalled', facts: { side: 'storage' } });
      expect((error as { facts: { plainBytes: number } }).facts.plainBytes).toBeLessThan(8 * MIB);
      expect(source.destroyed).toBe(true);
    });

    test('stops a storage that has taken everything and never confirms', async () => {
      const store: PackRequest['store'] = async (bytes, signal) => {
        await bytes.forEach(() => undefined);
        return untilAborted(bytes, signal);
      };
      const source = Readable.from(chunksOf(noise(MIB)));
      expect(await rejectionOf(packPart(request({ source, stallMs: BRIEF_MS, store })))).toMatchObject({
        code: 'archive-stalled',
        facts: { side: 'storage', plainBytes: MIB },
      });
    });
  });
});

/** What has gone through so far. */
interface Seen {
  plainBytes: number;
  storedBytes: number;
}

function watched(request: PackRequest): { packed: Promise<PackedPart>; seen: Seen } {
  const seen: Seen = { plainBytes: 0, storedBytes: 0 };
  return { seen, packed: packPart({ ...request, onProgress: (progress) => Object.assign(seen, progress) }) };
}

/** Waits until neither a byte moves nor a sleeper comes or goes for many turns of the event loop. */
async function stillness(clock: ManualClock, seen: Seen): Promise<void> {
  const look = (): string => JSON.stringify([seen, clock.sleeping]);
  for (let before = look(), turns = 0; turns < 50; turns += 1) {
    await setImmediate();
    if (look() !== before) turns = 0;
    before = look();
  }
}

/** A storage that takes a chunk and then sleeps. */
class SlowShelf {
  taken = 0;
  readonly #clock: ManualClock;
  readonly #pauseMs: () => number;

  constructor(clock: ManualClock, pauseMs: () => number) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  store = async (bytes: Readable, signal: AbortSignal): Promise<PutReceipt> => {
    const digest = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      this.taken += 1;
      sizeBytes += chunk.length;
      digest.update(chunk);
      await this.#clock.sleep(this.#pauseMs(), signal);
    }
    return { key: KEY, sizeBytes, sha256: digest.digest('hex') };
  };
}

function* endless(isOver = (): boolean => false): Generator<Buffer> {
  while (!isOver()) yield noise(64 * 1024);
}

/** A storage that neither reads nor answers. */
async function untilAborted(bytes: Readable, signal: AbortSignal): Promise<PutReceipt> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      bytes.destroy();
      reject(signal.reason as Error);
    });
  });
}
