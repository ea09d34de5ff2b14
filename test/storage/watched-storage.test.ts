import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { callbackify } from 'node:util';

import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { WatchedStorage } from '../../src/storage/watched-storage.ts';
import type { PutReceipt, Storage } from '../../src/storage/storage.ts';
import {
  contentOf,
  keysOf,
  never,
  openEndedStream,
  putText,
  rejectionOf,
  type StorageUnderTest,
  streamOf,
} from '../contracts/storage-under-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';
import { openLocal } from './local-places.ts';

const LIMIT_MS = 600_000;
const OBEYS_WITHIN_MS = 5_000;
const PLACE = 'the folder /nowhere';
const text = (words: string): Readable => streamOf(Buffer.from(words));

/** Lets calls to a storage hang before or behind its work, as system calls on a dead share do: no signal ends them. */
class Share {
  readonly #inner: Storage;
  #gate = Promise.withResolvers<void>();

  constructor(inner: Storage) {
    this.#inner = inner;
    this.answer();
  }

  hang(): void {
    this.#gate = Promise.withResolvers();
  }

  answer(): void {
    this.#gate.resolve();
  }

  get storage(): Storage {
    const inner = this.#inner;
    const open = (): Promise<void> => this.#gate.promise;
    const first =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        await open();
        return call.apply(inner, args);
      };
    return {
      kind: inner.kind,
      get: first(inner.get),
      stat: first(inner.stat),
      delete: first(inner.delete),
      space: first(inner.space),
      sweep: first(inner.sweep),
      close: first(inner.close),
      async *list(prefix) {
        await open();
        yield* inner.list(prefix);
      },
      put: async (...args): Promise<PutReceipt> => {
        const receipt = await inner.put(...args);
        await open();
        return receipt;
      },
    };
  }
}

let clock: ManualClock;
let place: StorageUnderTest;
let share: Share;
let storage: WatchedStorage;

beforeAll(() => Logger.overrideLogger(false));
beforeEach(async () => {
  clock = new ManualClock();
  place = await openLocal();
  share = new Share(place.storage);
  storage = new WatchedStorage(share.storage, PLACE, { clock, limitMs: LIMIT_MS });
});
afterEach(async () => {
  share.answer();
  await place.dispose();
});

const SILENT = { code: 'storage-unavailable', retryable: true };

/** Waits until somebody counts the time, and lets it pass. */
async function pass(ms: number, sleepers = 1): Promise<void> {
  await until('the time to be counted', () => clock.sleeping === sleepers);
  clock.advance(ms);
}

/** Stores an object that lies there whole when the share stops answering; nobody waits for the answer any longer. */
async function givenUp(key: string): Promise<void> {
  share.hang();
  const abort = new AbortController();
  const failure = rejectionOf(storage.put(key, text('late'), abort.signal));
  await until('it to be stored', async () => (await place.everything()).includes(key));
  abort.abort(new Error('not wanted any more'));
  await pass(OBEYS_WITHIN_MS);
  await failure;
}

describe('a storage that does not answer', () => {
  test.each<{ call: string; run: () => Promise<unknown> }>([
    { call: 'get', run: () => storage.get('shop/one') },
    { call: 'stat', run: () => storage.stat('shop/one') },
    { call: 'list', run: () => keysOf(storage) },
    { call: 'delete', run: () => storage.delete('shop/one') },
    { call: 'sweep of a put', run: () => storage.sweep({ of: ['shop/one'] }) },
  ])(
    'a $call is given up after the limit and not a millisecond before, and nothing more is asked',
    async ({ run }) => {
      await putText(storage, 'shop/one', 'one');
      share.hang();
      let hasEnded = false;
      const failure = rejectionOf(run()).finally(() => (hasEnded = true));
      await pass(LIMIT_MS - 1);
      await setImmediate();
      expect([hasEnded, clock.sleeping]).toEqual([false, 1]);
      clock.advance(1);
      expect(await failure).toMatchObject({
        ...SILENT,
        message: expect.stringContaining('no answer for 600 s'),
      });
      expect(clock.sleeping).toBe(0);
      // At once, and without a call that would hang too.
      for (const refused of [stat(), storage.put('shop/two', text('two'), never), storage.sweep()]) {
        expect(await rejectionOf(refused)).toMatchObject({
          ...SILENT,
          facts: { since: '2026-11-21T03:10:00.000Z' },
        });
      }
      share.answer();
      await until('it to be asked again', () =>
        stat().then(
          () => true,
          () => false,
        ),
      );
      expect(await place.everything()).not.toContain('shop/two');
    },
  );

  /** Of an object that is not looked at otherwise. */
  const stat = (): Promise<unknown> => storage.stat('other');

  test('its room is unknown', async () => {
    share.hang();
    const space = storage.space();
    await pass(LIMIT_MS);
    expect(await space).toBeUndefined();
    expect(await storage.space()).toBeUndefined();
  });

  test('an object that it opens too late is closed again', async () => {
    await putText(storage, 'shop/one', 'one');
    share.hang();
    const opened: Readable[] = [];
    const inner = share.storage;
    const watched = new WatchedStorage(inner, PLACE, { clock, limitMs: LIMIT_MS });
    const { get } = inner;
    inner.get = async (...args) => {
      const stream = await get(...args);
      opened.push(stream);
      return stream;
    };
    const failure = rejectionOf(watched.get('shop/one'));
    await pass(LIMIT_MS);
    expect(await failure).toMatchObject(SILENT);
    share.answer();
    await until('it to be closed', () => opened[0]?.closed);
  });

  test('a put that takes no notice of its signal rejects with the reason after some seconds, whatever its limit', async () => {
    share.hang();
    const abort = new AbortController();
    const bytes = text('one');
    const failure = rejectionOf(storage.put('shop/one', bytes, abort.signal));
    await until('it to be stored', async () => (await place.everything()).includes('shop/one'));
    // As long as nobody ends it, a put lasts as long as it likes.
    clock.advance(100 * LIMIT_MS);
    abort.abort(new Error('not wanted any more'));
    await pass(OBEYS_WITHIN_MS);
    expect(await failure).toMatchObject({ message: 'not wanted any more' });
    expect(bytes.destroyed).toBe(true);
  });

  test('nobody is told that an object is gone whose put has not ended, and other objects are served', async () => {
    await putText(storage, 'shop/other', 'other');
    await givenUp('shop/late');
    for (const refused of [storage.delete('shop/late'), storage.sweep({ of: ['shop/late', 'shop/other'] })]) {
      expect(await rejectionOf(refused)).toMatchObject({ ...SILENT, facts: { key: 'shop/late' } });
    }
    share.answer();
    expect(await contentOf(storage, 'shop/other')).toEqual(Buffer.from('other'));
    await until('it to be known what became of the put', () =>
      storage.delete('shop/late').then(
        () => true,
        () => false,
      ),
    );
    expect(await keysOf(storage)).toEqual(['shop/other']);
  });

  test('a put that was given up counts as a call without an answer when it is not over after the limit', async () => {
    await givenUp('shop/late');
    await pass(LIMIT_MS);
    await setImmediate();
    expect(await rejectionOf(storage.stat('shop/other'))).toMatchObject(SILENT);
  });
});

describe('an object that is read', () => {
  /** A storage whose object gives its first bytes, and then hangs in a read, which keeps it from being closed. */
  async function hanging(): Promise<{ bytes: Readable; answer: () => void; watched: WatchedStorage }> {
    const gate = Promise.withResolvers<void>();
    const inner = share.storage;
    inner.get = async () =>
      new Readable({
        read() {
          if (this.readableLength === 0 && !this.readableDidRead) this.push('the first bytes');
        },
        destroy(error, callback) {
          callbackify(() => gate.promise)(() => callback(error));
        },
      });
    const watched = new WatchedStorage(inner, PLACE, { clock, limitMs: LIMIT_MS });
    return { bytes: await watched.get('shop/one'), answer: gate.resolve, watched };
  }

  test('and hangs is let go a moment after nobody wants it any more, and counts as a call without an answer', async () => {
    const { bytes, answer, watched } = await hanging();
    expect(String((await bytes[Symbol.asyncIterator]().next()).value)).toBe('the first bytes');
    bytes.destroy(new Error('not wanted any more'));
    const failure = new Promise((resolve) => bytes.once('error', resolve));
    await pass(1_999);
    await setImmediate();
    expect(bytes.closed).toBe(false);
    clock.advance(1);
    expect(await failure).toMatchObject({ message: 'not wanted any more' });
    // As long as it may still answer, the storage is asked.
    await putText(watched, 'shop/other', 'other');
    expect(await watched.stat('shop/other')).toBeDefined();
    await pass(LIMIT_MS);
    await setImmediate();
    expect(await rejectionOf(watched.stat('shop/other'))).toMatchObject(SILENT);
    answer();
    await until('it to be asked again', () =>
      watched.stat('shop/other').then(
        () => true,
        () => false,
      ),
    );
  });

  test('to its end, or not at all, is closed at once, and nobody waits', async () => {
    await putText(storage, 'shop/one', 'one');
    expect(String(await contentOf(storage, 'shop/one'))).toBe('one');
    const unread = await storage.get('shop/one');
    unread.destroy();
    await until('it to be closed', () => unread.closed);
    await until('nobody to wait', () => clock.sleeping === 0);
  });

  test('with an error of its medium tells of that', async () => {
    const inner = share.storage;
    inner.get = async () => Readable.from(failing());
    const watched = new WatchedStorage(inner, PLACE, { clock, limitMs: LIMIT_MS });
    expect(await rejectionOf(contentOf(watched, 'shop/one'))).toMatchObject({
      message: 'the disk is failing',
    });
  });

  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.from('one');
    await setImmediate();
    throw new Error('the disk is failing');
  }
});

test('a put that obeys is waited for, and rejects when it has cleaned up', async () => {
  const abort = new AbortController();
  const failure = rejectionOf(storage.put('shop/one', openEndedStream(Buffer.from('one')), abort.signal));
  abort.abort(new Error('not wanted any more'));
  expect(await failure).toMatchObject({ message: 'not wanted any more' });
  expect(await place.everything()).toEqual([]);
  expect(clock.sleeping).toBe(0);
});
