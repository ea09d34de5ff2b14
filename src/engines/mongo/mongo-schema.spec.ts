import { BSON, Int32, Long } from 'mongodb';
import { describe, expect, test } from 'vitest';

import type { CollectionDefinition } from './archive/definition.js';
import { type OrderedDocument, readBson } from './archive/ordered-document.js';
import { describeSchema } from './mongo-schema.js';

const server = { version: '8.0.1', major: 8, details: {} };
const document = (fields: BSON.Document): OrderedDocument => readBson(BSON.serialize(fields));
const byId = document({ v: 2, key: { _id: 1 }, name: '_id_' });
const a: CollectionDefinition = {
  collectionName: 'a',
  type: 'collection',
  options: new Map(),
  indexes: [byId, document({ v: 2, key: { x: 1, y: -1 }, name: 'x_1_y_-1' })],
};
const digestOf = (definition: CollectionDefinition): string =>
  describeSchema([{ name: 'a', definition }], server).digest;

describe('definitions as a digest', () => {
  test.each<[what: string, definition: CollectionDefinition]>([
    ['the order of indexes', { ...a, indexes: a.indexes.toReversed() }],
    [
      'what a server adds',
      {
        ...a,
        uuid: 'f'.repeat(32),
        indexes: a.indexes.map((index) => new Map([...index, ['ns', 'shop.a'], ['v', 1]])),
      },
    ],
    [
      'the type of a number',
      {
        ...a,
        indexes: [byId, document({ key: { x: new Int32(1), y: Long.fromNumber(-1) }, name: 'x_1_y_-1' })],
      },
    ],
  ])('does not depend on %s', (_what, definition) => {
    expect(digestOf(definition)).toBe(digestOf(a));
  });

  test.each<[what: string, definition: CollectionDefinition]>([
    ['an index that is missing', { ...a, indexes: [byId] }],
    [
      'the order of its fields',
      { ...a, indexes: [byId, document({ key: { y: -1, x: 1 }, name: 'x_1_y_-1' })] },
    ],
    [
      'that it is unique',
      { ...a, indexes: [byId, document({ key: { x: 1, y: -1 }, name: 'x_1_y_-1', unique: true })] },
    ],
    ['a validator', { ...a, options: document({ validator: { x: { $gt: 1 } } }) }],
    ['a limit', { ...a, options: document({ capped: true, size: 4096 }) }],
    ['being a view', { ...a, type: 'view' }],
  ])('depends on %s', (_what, definition) => {
    expect(digestOf(definition)).not.toBe(digestOf(a));
  });

  test('depends on the order of fields that look like integers', () => {
    const on = (...names: string[]): CollectionDefinition => {
      const key = new Map(names.map((name) => [name, new Int32(1)]));
      return {
        ...a,
        indexes: [
          new Map<string, unknown>([
            ['key', key],
            ['name', 'i'],
          ]),
        ],
      };
    };
    expect(digestOf(on('name', '2024'))).not.toBe(digestOf(on('2024', 'name')));
  });

  test('is comparable within one major and one kind of server', () => {
    const kind = (details: Record<string, unknown>): string =>
      describeSchema([], { ...server, details }).comparableWith;
    expect([kind({}), kind({ ferretdb: 'v2.7.0' })]).toEqual(['mongodb-8', 'mongodb-8-ferretdb']);
  });
});
