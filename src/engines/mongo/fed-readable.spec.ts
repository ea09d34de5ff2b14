import { finished, pipeline } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { Writable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { type Feed, FedReadable } from './fed-readable.js';

const never = new AbortController().signal;

describe('a stream that a function feeds', () => {
  it('gives its bytes in order and ends when the function is done', async () => {
    const stream = new FedReadable(async (feed) => {
      await feed.write(() => [Buffer.from('one '), Buffer.of(), Buffer.from('two ')]);
      await feed.write(() => [Buffer.from('three')]);
    }, never);
    expect((await buffer(stream)).toString()).toBe('one two three');
  });

  it('is an empty one when nothing is fed', async () => {
    expect((await buffer(new FedReadable(async () => {}, never))).length).toBe(0);
  });

  it('fails instead of ending when the function does, however much was given', async () => {
    const stream = new FedReadable(async (feed) => {
      await feed.write(() => [Buffer.alloc(300_000)]);
      throw new Error('the cursor broke');
    }, never);
    await expect(buffer(stream)).rejects.toThrow('the cursor broke');
  });

  it('makes pieces in the order of the stream, when writers wait', async () => {
    let made = 0;
    const writer = async (feed: Feed): Promise<void> => {
      for (let n = 0; n < 20; n += 1) await feed.write(() => [Buffer.alloc(70_000, (made += 1))]);
    };
    const stream = new FedReadable(async (feed) => {
      await Promise.all([writer(feed), writer(feed), writer(feed)]);
    }, never);
    const bytes = await buffer(stream);
    expect(bytes.length).toBe(60 * 70_000);
    expect(Array.from({ length: 60 }, (_, n) => bytes[n * 70_000])).toEqual(
      Array.from({ length: 60 }, (_, n) => n + 1),
    );
  });

  it('makes no more than what is asked for', async () => {
    let made = 0;
    const stream = new FedReadable(async (feed) => {
      for (;;)
        await feed.write(() => {
          made += 1;
          return [Buffer.alloc(100_000)];
        });
    }, never);
    const asked = Promise.withResolvers<void>();
    const slow = new Writable({ highWaterMark: 1, write: () => asked.resolve() });
    const piping = pipeline(stream, slow);
    await asked.promise;
    await new Promise(setImmediate);
    expect(made).toBeLessThanOrEqual(3);
    slow.destroy();
    await expect(piping).rejects.toThrow();
  });

  it('closes when the function has let go, after a destroy, an abort, or the failure of a part', async () => {
    for (const end of ['destroy', 'abort', 'fail'] as const) {
      const outer = new AbortController();
      const begun = Promise.withResolvers<Feed>();
      let isLetGo = false;
      const stream = new FedReadable(async (feed) => {
        begun.resolve(feed);
        try {
          for (;;) await feed.write(() => [Buffer.alloc(100_000)]);
        } finally {
          await new Promise(setImmediate);
          isLetGo = true;
        }
      }, outer.signal);
      const gone = finished(stream).catch((error: unknown) => error);
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.read(0);
      const feed = await begun.promise;
      if (end === 'destroy') stream.destroy();
      else if (end === 'abort') outer.abort(new Error('cancelled'));
      else feed.fail(new Error('one part failed'));
      await closed;
      expect(isLetGo, end).toBe(true);
      expect(feed.signal.aborted).toBe(true);
      expect(await gone).toBeInstanceOf(Error);
    }
  });

  it('does not begin when it is aborted before', async () => {
    const stream = new FedReadable(
      async () => {
        throw new Error('begun');
      },
      AbortSignal.abort(new Error('too late')),
    );
    await expect(buffer(stream)).rejects.toThrow('too late');
  });
});
