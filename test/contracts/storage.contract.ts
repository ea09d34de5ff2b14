import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { DomainError } from '../../src/errors/domain-error.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { until } from '../support/until.ts';
import { storagePropertyContract } from './storage-property.contract.ts';
import {
  contentOf,
  keysOf,
  listed,
  never,
  noise,
  openEndedStream,
  putText,
  rejectionOf,
  rejectionsOf,
  sha256,
  streamOf,
  within,
  type OpenStorage,
  type SpecialPlaces,
  type StorageUnderTest,
} from './storage-under-test.ts';

const MIB = 1024 * 1024;

/** Keys that every driver must refuse (S7). */
const FORBIDDEN_KEYS = [
  '',
  '.',
  '..',
  '../out',
  'a/../../out',
  'a/..',
  './a',
  'a/./b',
  '/absolute',
  'a//b',
  'a/',
  'a\0b',
  'a\\b',
  '..\\out',
  'a\nb',
  'a\u007fb',
  'lone\ud800surrogate',
  'x'.repeat(256),
  `${'long/'.repeat(210)}x`,
  '.backstop-00000000-0000-0000-0000-000000000000.partial',
];

/** Names that people give; every driver must take them. */
const UNUSUAL_KEYS = [
  '-leading-dash',
  '--help',
  ' leading and trailing blank ',
  'shop & Söhne (2026) #1 100%.dump',
  '日本語/データベース.dump.zst',
  '🐘/e\u0301 and é',
  '.hidden/..almost/...dots',
  `it's "quoted"; rm -rf $HOME \`x\``,
  'x'.repeat(255),
  'é'.repeat(127),
  'a:b*c?d<e>f|g',
];

/**
 * The suite that every storage driver must pass, with real media. `open` gives a storage over a fresh, empty place for each test;
 * `special` gives places that are full or refuse writing, or says why this machine has none.
 */
export function storageContract(name: string, open: OpenStorage, special: SpecialPlaces): void {
  describe(`${name} keeps the storage contract`, () => {
    let place: StorageUnderTest;
    let storage: Storage;

    beforeEach(async () => {
      place = await open();
      storage = place.storage;
    });
    afterEach(async () => {
      await storage.close();
      await place.dispose();
    });

    describe('round trip', () => {
      test.each([0, 1, 64 * 1024, 3 * MIB + 7])('gives %i bytes back as they were', async (size) => {
        const bytes = noise(size);
        const receipt = await storage.put('shop/one', streamOf(bytes), never);
        expect(receipt).toEqual({ key: 'shop/one', sizeBytes: size, sha256: sha256(bytes) });
        expect((await contentOf(storage, 'shop/one')).equals(bytes)).toBe(true);
        const stat = await storage.stat('shop/one');
        expect(stat).toMatchObject({ key: 'shop/one', sizeBytes: size });
        expect(Math.abs(Date.now() - Number(stat?.modifiedAt))).toBeLessThan(60_000);
        expect(await listed(storage)).toEqual([stat]);
      });

      test('joins chunks of any size', async () => {
        const bytes = noise(10_000);
        await storage.put('one-by-one', streamOf(bytes, 1), never);
        expect((await contentOf(storage, 'one-by-one')).equals(bytes)).toBe(true);
      });

      test.each(UNUSUAL_KEYS)('takes the name %j', async (key) => {
        await putText(storage, key, key);
        expect((await contentOf(storage, key)).toString()).toBe(key);
        expect(await keysOf(storage)).toEqual([key]);
        await storage.delete(key);
        expect(await storage.stat(key)).toBeUndefined();
      });

      test('tells how much room is left, where the medium knows', async () => {
        const space = await storage.space();
        if (space === undefined) return;
        expect(space.freeBytes).toBeGreaterThan(0);
        expect(space.totalBytes).toBeGreaterThanOrEqual(space.freeBytes);
      });
    });

    describe('S1: an object becomes visible whole, at the end of its put', () => {
      test('nothing is visible while bytes are written', async () => {
        const source = openEndedStream(noise(MIB));
        const putting = storage.put('db/slow', source, never);
        await until('bytes arrive', () => source.readableLength === 0);
        expect(await storage.stat('db/slow')).toBeUndefined();
        expect(await keysOf(storage)).toEqual([]);
        expect(await rejectionOf(storage.get('db/slow'))).toMatchObject({ code: 'storage-object-missing' });
        source.end(noise(1));
        await putting;
        expect(await listed(storage)).toMatchObject([{ key: 'db/slow', sizeBytes: MIB + 1 }]);
      });

      test('whoever looks all the time sees nothing or all of it', async () => {
        const state = { isOver: false };
        const putting = storage.put('watched', streamOf(noise(8 * MIB)), never).finally(() => {
          state.isOver = true;
        });
        const sizes = new Set<number>();
        while (!state.isOver) sizes.add((await storage.stat('watched'))?.sizeBytes ?? -1);
        await putting;
        sizes.delete(-1);
        expect([...sizes].every((size) => size === 8 * MIB)).toBe(true);
      });
    });

    describe('listing', () => {
      // By bytes: `-` and `.` before the slash of a folder, `0` behind it, and the elephant behind the last of the basic plane.
      const ordered = ['A', 'a', 'b-/x', 'b./x', 'b/x', 'b/y/z', 'b0', 'é', '\uffee', '\u{1f418}'];

      test('goes in key order', async () => {
        for (const key of ordered.toReversed()) await putText(storage, key, 'x');
        expect(await keysOf(storage)).toEqual(ordered);
      });

      test.each([
        ['b', ['b-/x', 'b./x', 'b/x', 'b/y/z', 'b0']],
        ['b/', ['b/x', 'b/y/z']],
        ['b/y', ['b/y/z']],
        ['b/y/z', ['b/y/z']],
        ['b/y/z/', []],
        ['c', []],
      ])('below %j gives %j', async (prefix, expected) => {
        for (const key of ordered) await putText(storage, key, 'x');
        expect(await keysOf(storage, prefix)).toEqual(expected);
      });

      test('goes on when objects and folders vanish meanwhile', async () => {
        for (const key of ordered) await putText(storage, key, 'x');
        const seen: string[] = [];
        for await (const { key } of storage.list('')) {
          seen.push(key);
          if (key === 'a') for (const each of ['b./x', 'b/x', 'b/y/z']) await storage.delete(each);
        }
        for (const key of ['A', 'a', 'b-/x', 'b0', 'é']) expect(seen).toContain(key);
        expect(seen).toEqual(ordered.filter((key) => seen.includes(key)));
      });
    });

    describe('S2: a failed or aborted put leaves nothing', () => {
      test('a source that fails in the middle: its own error comes out', async () => {
        const source = openEndedStream(noise(MIB));
        const putting = storage.put('db/broken', source, never);
        await until('bytes arrive', () => source.readableLength === 0);
        const failure = new Error('the dump died');
        source.destroy(failure);
        expect(await rejectionOf(putting)).toBe(failure);
        expect(await place.everything()).toEqual([]);
      });

      test('a source that is destroyed without an error', async () => {
        const source = openEndedStream(noise(10));
        const putting = storage.put('db/broken', source, never);
        await until('bytes arrive', () => source.readableLength === 0);
        source.destroy();
        await rejectionOf(putting);
        expect(await place.everything()).toEqual([]);
      });

      test('an abort in the middle: its reason comes out, and the source is destroyed', async () => {
        const source = openEndedStream(noise(MIB));
        const abort = new AbortController();
        const putting = storage.put('db/aborted', source, abort.signal);
        await until('bytes arrive', () => source.readableLength === 0);
        const reason = new Error('cancelled');
        abort.abort(reason);
        expect(await rejectionOf(putting)).toBe(reason);
        expect(source.destroyed).toBe(true);
        expect(await place.everything()).toEqual([]);
      });

      test('an abort while the source gives nothing', async () => {
        const abort = new AbortController();
        const source = new PassThrough();
        const putting = storage.put('db/aborted', source, abort.signal);
        abort.abort(new Error('cancelled'));
        expect(await rejectionOf(putting)).toBe(abort.signal.reason);
        expect(source.destroyed).toBe(true);
        expect(await place.everything()).toEqual([]);
      });

      test('an abort before the beginning', async () => {
        const source = streamOf(noise(10));
        expect(
          await rejectionOf(storage.put('db/aborted', source, AbortSignal.abort(new Error('no')))),
        ).toEqual(new Error('no'));
        expect(source.destroyed).toBe(true);
        expect(await place.everything()).toEqual([]);
      });

      test('an abort at any moment gives the whole object or nothing', async () => {
        const bytes = noise(MIB);
        const outcomes = new Set<string>();
        for (let turns = 0; turns < 120; turns += 1) {
          const abort = new AbortController();
          const putting = storage.put('db/any', streamOf(bytes), abort.signal);
          const outcome = putting.then(
            () => 'stored',
            () => 'aborted',
          );
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          abort.abort(new Error('cancelled'));
          outcomes.add(await outcome);
          if ((await outcome) === 'stored') {
            expect((await contentOf(storage, 'db/any')).equals(bytes)).toBe(true);
            await storage.delete('db/any');
          }
          expect(await place.everything()).toEqual([]);
        }
        expect(outcomes).toContain('aborted');
      });

      test('what failed can be put again under the same key', async () => {
        const source = openEndedStream(noise(10));
        source.destroy(new Error('died'));
        await rejectionOf(storage.put('db/again', source, never));
        await putText(storage, 'db/again', 'second');
        expect((await contentOf(storage, 'db/again')).toString()).toBe('second');
      });
    });

    describe('S3: put never overwrites', () => {
      test('an existing key is refused and keeps its bytes', async () => {
        await putText(storage, 'db/one', 'first');
        const source = streamOf(noise(MIB));
        const error = await rejectionOf(storage.put('db/one', source, never));
        expect(error).toMatchObject({ code: 'storage-key-exists', kind: 'conflict', retryable: false });
        expect(source.destroyed).toBe(true);
        expect((await contentOf(storage, 'db/one')).toString()).toBe('first');
        expect(await keysOf(storage)).toEqual(['db/one']);
      });

      test('an existing key is refused at once, not after gigabytes', async () => {
        await putText(storage, 'db/one', 'first');
        const silent = new PassThrough();
        expect(await rejectionOf(storage.put('db/one', silent, never))).toMatchObject({
          code: 'storage-key-exists',
        });
        expect(silent.destroyed).toBe(true);
      });

      test('a key that came into being while the put was writing', async () => {
        const source = openEndedStream(noise(MIB));
        const putting = storage.put('db/one', source, never);
        await until('bytes arrive', () => source.readableLength === 0);
        await putText(storage, 'db/one', 'faster');
        const before = await place.everything();
        source.end();
        expect(await rejectionOf(putting)).toMatchObject({ code: 'storage-key-exists' });
        expect((await contentOf(storage, 'db/one')).toString()).toBe('faster');
        expect((await place.everything()).length).toBeLessThan(before.length); // the part is gone
      });

      test('of thirty puts at once exactly one wins, whole', async () => {
        const rivals = Array.from({ length: 30 }, () => noise(200_000));
        const results = await Promise.allSettled(
          rivals.map((bytes) => storage.put('db/race', streamOf(bytes), never)),
        );
        const winners = rivals.filter((_, index) => results[index]?.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        expect(winners[0]?.equals(await contentOf(storage, 'db/race'))).toBe(true);
        for (const result of results) {
          if (result.status === 'rejected')
            expect(result.reason).toMatchObject({ code: 'storage-key-exists' });
        }
        await storage.delete('db/race');
        expect(await place.everything()).toEqual([]);
      });
    });

    describe('S4: stat says "absent" only when that is sure', () => {
      test.each(['missing', 'missing/in/missing'])('a missing object: %s', async (key) => {
        expect(await storage.stat(key)).toBeUndefined();
        expect(await rejectionOf(storage.get(key))).toMatchObject({
          code: 'storage-object-missing',
          kind: 'not-found',
        });
      });

      test('a folder is no object', async () => {
        await putText(storage, 'db/one', 'x');
        expect(await storage.stat('db')).toBeUndefined();
        expect(await rejectionOf(storage.get('db'))).toMatchObject({ code: 'storage-object-missing' });
        await storage.delete('db');
        expect(await keysOf(storage)).toEqual(['db/one']);
      });

      test('a place that cannot be reached is an error for every call that asks', async () => {
        await putText(storage, 'db/one', 'x');
        await place.lose();
        for (const error of await rejectionsOf([
          storage.stat('db/one'),
          storage.get('db/one'),
          listed(storage),
          storage.delete('db/one'),
        ])) {
          expect(error).toMatchObject({ code: 'storage-unavailable', retryable: true });
        }
      });
    });

    describe('S5: deleting', () => {
      test('takes exactly one object', async () => {
        await putText(storage, 'db/one', 'x');
        await putText(storage, 'db/one.more', 'x');
        await storage.delete('db/one');
        expect(await keysOf(storage)).toEqual(['db/one.more']);
      });

      test('a missing key resolves, also when many delete it at once', async () => {
        await storage.delete('never/was');
        await putText(storage, 'db/one', 'x');
        await Promise.all(Array.from({ length: 10 }, () => storage.delete('db/one')));
        expect(await place.everything()).toEqual([]);
      });

      test('does not pull the ground from under puts beside it', async () => {
        const cycles = Array.from({ length: 12 }, async (_, index) => {
          for (let turn = 0; turn < 40; turn += 1) {
            await putText(storage, `db/sub/${index}`, `${turn}`);
            expect((await contentOf(storage, `db/sub/${index}`)).toString()).toBe(`${turn}`);
            await storage.delete(`db/sub/${index}`);
          }
        });
        await Promise.all(cycles);
        expect(await place.everything()).toEqual([]);
      });
    });

    describe('S6: a read gives every byte or errs', () => {
      test('an object that is cut while it is read', async () => {
        await storage.put('db/cut', streamOf(noise(8 * MIB)), never);
        const stream = await storage.get('db/cut');
        const reading = (async () => {
          let readBytes = 0;
          for await (const chunk of stream as AsyncIterable<Buffer>) {
            if (readBytes === 0) await place.truncate('db/cut', 5 * MIB);
            readBytes += chunk.length;
          }
          return readBytes;
        })();
        expect(await rejectionOf(reading)).toMatchObject({ code: 'storage-short-read', retryable: true });
      });

      test('a range of an object that is cut before its first byte is read', async () => {
        await storage.put('db/cut', streamOf(noise(MIB)), never);
        const stream = await storage.get('db/cut', { start: 900_000 });
        await place.truncate('db/cut', 10);
        expect(await rejectionOf(stream.toArray())).toMatchObject({
          code: 'storage-short-read',
          facts: { readBytes: 0, expectedBytes: MIB - 900_000 },
        });
      });

      test('an object deleted while it is read still comes whole, or errs', async () => {
        const bytes = noise(4 * MIB);
        await storage.put('db/gone', streamOf(bytes), never);
        const stream = await storage.get('db/gone');
        await storage.delete('db/gone');
        const read = await stream.toArray().then(
          (chunks: Buffer[]) => Buffer.concat(chunks),
          () => undefined,
        );
        if (read !== undefined) expect(read.equals(bytes)).toBe(true);
      });

      test('destroying a read in the middle ends it', async () => {
        await storage.put('db/big', streamOf(noise(4 * MIB)), never);
        const stream = await storage.get('db/big');
        stream.once('data', () => stream.destroy());
        await finished(stream).catch(() => undefined);
        expect(stream.destroyed).toBe(true);
        expect(stream.readableEnded).toBe(false);
      });

      test('every range gives exactly its bytes', async () => {
        const bytes = noise(700_001);
        await storage.put('db/ranges', streamOf(bytes), never);
        const position = fc.nat({ max: bytes.length - 1 });
        await fc.assert(
          fc.asyncProperty(
            position,
            fc.option(fc.nat({ max: 800_000 }), { nil: undefined }),
            async (start, extra) => {
              const range = extra === undefined ? { start } : { start, end: start + extra };
              const chunks = (await (await storage.get('db/ranges', range)).toArray()) as Buffer[];
              const expected = bytes.subarray(start, extra === undefined ? undefined : start + extra + 1);
              expect(Buffer.concat(chunks).equals(expected)).toBe(true);
            },
          ),
          { numRuns: 60 },
        );
      });

      test.each([
        { start: 5 },
        { start: 6, end: 9 },
        { start: 3, end: 2 },
        { start: -1 },
        { start: 0.5 },
        { start: 0, end: Number.NaN },
      ])('the range %j of five bytes is refused', async (range) => {
        await putText(storage, 'five', '12345');
        expect(await rejectionOf(storage.get('five', range))).toMatchObject({
          code: 'storage-range-invalid',
          kind: 'range',
          facts: { sizeBytes: 5 },
        });
      });

      test('no range exists in an empty object', async () => {
        await putText(storage, 'empty', '');
        expect(await rejectionOf(storage.get('empty', { start: 0 }))).toMatchObject({
          code: 'storage-range-invalid',
        });
      });
    });

    describe('S7: no key leads out of the place', () => {
      test.each(FORBIDDEN_KEYS)('%j is refused by every call', async (key) => {
        const source = streamOf(noise(10));
        for (const error of await rejectionsOf([
          storage.put(key, source, never),
          storage.get(key),
          storage.stat(key),
          storage.delete(key),
        ])) {
          expect(error).toMatchObject({ code: 'storage-key-invalid', retryable: false });
        }
        expect(source.destroyed).toBe(true);
        expect(await place.everything()).toEqual([]);
      });

      test.each(['../', '/', 'a/../', 'a\\', 'a//b', 'a\0'])(
        'listing below %j is refused',
        async (prefix) => {
          await putText(storage, 'a/b', 'x');
          expect(await rejectionOf(listed(storage, prefix))).toMatchObject({ code: 'storage-key-invalid' });
        },
      );

      test.each(['link', 'folder/link'])(
        'a symbolic link at %s is neither followed nor listed',
        async (at) => {
          await putText(storage, 'folder/real', 'x');
          const link = await place.plantLink?.(at);
          if (link === undefined) return; // the medium has no links
          const before = await link.outside();
          for (const key of [at, `${at}/secret`, `${at}/new`]) {
            for (const error of await rejectionsOf([
              storage.put(key, streamOf(noise(10)), never),
              storage.get(key),
              storage.stat(key),
              storage.delete(key),
            ])) {
              expect(error).toMatchObject({ code: 'storage-key-invalid' });
            }
          }
          expect(await keysOf(storage)).toEqual(['folder/real']);
          expect(await keysOf(storage, `${at}/`)).toEqual([]);
          await storage.sweep();
          expect(await link.outside()).toEqual(before);
        },
      );
    });

    describe('S8: errors say whether trying again can help', () => {
      test('a full medium: may pass; nothing is left, and smaller objects still go in', async (context) => {
        await within(special.full, context, async (full) => {
          const error = await rejectionOf(full.storage.put('db/big', streamOf(noise(8 * MIB)), never));
          expect(error).toBeInstanceOf(DomainError);
          expect(error).toMatchObject({ code: 'storage-full', kind: 'unavailable', retryable: true });
          expect(await full.everything()).toEqual([]);
          await putText(full.storage, 'db/small', 'fits');
          expect((await contentOf(full.storage, 'db/small')).toString()).toBe('fits');
        });
      });

      test('a medium that refuses writing: stays so; what is there can be read', async (context) => {
        await within(special.readOnly, context, async (readOnly) => {
          const before = await readOnly.everything();
          const putting = readOnly.storage.put('db/new', streamOf(noise(10)), never);
          const refusal = { code: 'storage-not-writable', kind: 'unprocessable', retryable: false };
          expect(await rejectionOf(putting)).toMatchObject(refusal);
          expect(await rejectionOf(readOnly.storage.delete('old'))).toMatchObject(refusal);
          expect((await contentOf(readOnly.storage, 'old')).length).toBe(1);
          expect(await readOnly.everything()).toEqual(before);
        });
      });
    });

    describe('sweep', () => {
      test('leaves objects and puts under way alone', async () => {
        await putText(storage, 'db/one', 'x');
        const source = openEndedStream(noise(10));
        const putting = storage.put('db/two', source, never);
        await until('bytes arrive', () => source.readableLength === 0);
        expect(await storage.sweep()).toBe(0);
        source.end();
        await putting;
        expect(await keysOf(storage)).toEqual(['db/one', 'db/two']);
      });

      test('finds nothing in an empty place', async () => {
        expect(await storage.sweep()).toBe(0);
      });
    });

    storagePropertyContract(() => storage);
  });
}
