import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Storage } from '../../src/storage/storage.ts';
import { contentOf, listed, never, rejectionOf, streamOf } from './storage-under-test.ts';

/** Pieces of names that file systems, shells, sort orders and URL encoders stumble over. */
const piece = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'A',
    '-',
    '.',
    '..',
    ' ',
    '~',
    '_',
    '%2F',
    '+',
    '0',
    '1',
    '10',
    'é',
    'e\u0301',
    '日',
    '🐘',
    '\uffee',
    "'",
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const segment = fc
  .array(piece, { minLength: 1, maxLength: 4 })
  .map((pieces) => allowed(pieces.join('')))
  .filter((name) => name !== '' && name.isWellFormed());

/** Without the characters that no key may have. */
function allowed(name: string): string {
  return name.replace(/[\p{Cc}\\/]/gu, '_');
}

/** Folders end in `-`, objects in `o`: a file system cannot have both of one name, a bucket can. `.`, `..` are thus gone too. */
const key = fc
  .tuple(fc.array(segment, { maxLength: 3 }), segment)
  .map(([folders, name]) => [...folders.map((folder) => `${folder}-`), `${name}o`].join('/'));

type Step = { do: 'put'; key: string; content: Uint8Array } | { do: 'delete' | 'get'; key: string };

const steps = fc.uniqueArray(key, { minLength: 1, maxLength: 12 }).chain((keys) =>
  fc.array(
    fc.oneof(
      fc.record({
        do: fc.constant('put' as const),
        key: fc.constantFrom(...keys),
        content: fc.uint8Array(),
      }),
      fc.record({ do: fc.constantFrom('delete' as const, 'get' as const), key: fc.constantFrom(...keys) }),
    ),
    { maxLength: 25 },
  ),
) satisfies fc.Arbitrary<Step[]>;

/** Whatever is done to a storage, it behaves like a sorted map that refuses to overwrite. */
export function storagePropertyContract(storageOf: () => Storage): void {
  describe('as a map', () => {
    test('any sequence of calls does to a storage what it does to a map', async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.string({ maxLength: 3 }), async (all, prefix) => {
          const storage = storageOf();
          const model = new Map<string, Buffer>();
          for (const step of all) await perform(storage, model, step);
          await compareListing(storage, model, '');
          await compareListing(storage, model, allowed(prefix));
          for (const each of model.keys())
            await compareListing(storage, model, each.slice(0, each.length / 2));
          for (const each of model.keys()) await storage.delete(each);
          expect(await listed(storage)).toEqual([]);
        }),
        { numRuns: 40 },
      );
    });
  });
}

async function perform(storage: Storage, model: Map<string, Buffer>, step: Step): Promise<void> {
  const known = model.get(step.key);
  switch (step.do) {
    case 'put': {
      const putting = storage.put(step.key, streamOf(Buffer.from(step.content)), never);
      if (known === undefined) {
        await putting;
        model.set(step.key, Buffer.from(step.content));
      } else expect(await rejectionOf(putting)).toMatchObject({ code: 'storage-key-exists' });
      return;
    }
    case 'get':
      if (known === undefined) expect(await storage.stat(step.key)).toBeUndefined();
      else expect((await contentOf(storage, step.key)).equals(known)).toBe(true);
      return;
    case 'delete':
      await storage.delete(step.key);
      model.delete(step.key);
  }
}

async function compareListing(storage: Storage, model: Map<string, Buffer>, prefix: string): Promise<void> {
  const expected = [...model]
    .filter(([each]) => each.startsWith(prefix))
    .map(([each, content]) => ({ key: each, sizeBytes: content.length }))
    .sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
  const found = await listed(storage, prefix);
  expect(found.map(({ key: each, sizeBytes }) => ({ key: each, sizeBytes }))).toEqual(expected);
}
