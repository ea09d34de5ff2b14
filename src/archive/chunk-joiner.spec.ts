import { Readable } from 'node:stream';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ChunkJoiner } from './chunk-joiner.js';

test('joins any chunks to equal ones, the last excepted, and changes nothing', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 25 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 12 }), async (given, joinedBytes) => {
      const source = Readable.from(given.map((chunk) => Buffer.from(chunk)));
      const joined: Buffer[] = [];
      // One by one: `toArray` on a byte stream would show what the buffer joined again.
      for await (const chunk of source.compose(new ChunkJoiner(joinedBytes)) as AsyncIterable<Buffer>)
        joined.push(chunk);
      expect(Buffer.concat(joined)).toEqual(Buffer.concat(given));
      for (const chunk of joined.slice(0, -1)) expect(chunk.length).toBe(joinedBytes);
      for (const chunk of joined.slice(-1)) expect(chunk.length).toBeGreaterThan(0);
    }),
  );
});
