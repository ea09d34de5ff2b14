import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { describe, expect, test } from 'vitest';

import { HeldTail } from './held-tail.js';

async function through(source: Readable): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    await pipeline(source, new HeldTail(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) text += chunk.toString();
    });
    return { text, error: undefined };
  } catch (error) {
    return { text, error };
  }
}

describe('the held tail', () => {
  test.each([[], ['a'], ['a', 'b', 'c']])(
    'passes everything of a source that ends well: %j',
    async (...chunks) => {
      const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
      expect(await through(source)).toEqual({ text: chunks.join(''), error: undefined });
    },
  );

  test('never passes the last chunk of a source that fails after it', async () => {
    const failure = new Error('damaged');
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      yield Buffer.from('b');
      await Promise.resolve();
      throw failure;
    }
    const { text, error } = await through(Readable.from(failing()));
    expect(error).toBe(failure);
    expect(text).not.toContain('b');
  });
});
