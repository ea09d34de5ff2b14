import { BSON } from 'mongodb';
import { describe, expect, test } from 'vitest';

import { isOrderedDocument, readBson, readExtendedJson, writeExtendedJson } from './ordered-document.js';

const one = new BSON.Int32(1);
const key = new Map([
  ['name', one],
  ['2024', one],
  ['7', one],
]);
const index = new Map<string, unknown>([
  ['key', key],
  ['name', 'i'],
]);
const INDEX_TEXT =
  '{"key":{"name":{"$numberInt":"1"},"2024":{"$numberInt":"1"},"7":{"$numberInt":"1"}},"name":"i"}';

describe('documents in their order', () => {
  test('from BSON to Extended JSON, and back to the same bytes', () => {
    const bytes = BSON.serialize(index);
    expect(writeExtendedJson(readBson(bytes))).toBe(INDEX_TEXT);
    const read = readExtendedJson(INDEX_TEXT);
    expect(isOrderedDocument(read) && Buffer.from(BSON.serialize(read)).equals(bytes)).toBe(true);
  });

  test.each<[what: string, fields: BSON.Document]>([
    ['numbers', { a: 1, b: 1.5, c: new BSON.Double(1), d: 5n, e: BSON.Decimal128.fromString('1.50') }],
    ['times', { a: new Date(0), b: new Date(-1), c: new BSON.Timestamp(5n) }],
    ['bytes', { a: new BSON.Binary(Buffer.from([1]), 0), b: new BSON.UUID(), c: new BSON.ObjectId() }],
    [
      'patterns',
      { a: new BSON.BSONRegExp('a/"b\\', 'i'), b: new BSON.BSONSymbol('s'), c: new BSON.Code('f()') },
    ],
    ['ends', { a: new BSON.MinKey(), b: new BSON.MaxKey(), c: null, d: true, e: '' }],
    [
      'operators',
      { a: { $regex: '^a', $ne: 'ab' }, b: { $regex: '^b' }, c: { $type: 'int' }, d: { $gt: 1 } },
    ],
    ['references', { a: { $ref: 'b', $id: 1 } }],
    ['lists', { a: [1, [{ z: 1, 9: [] }], {}] }],
    ['names', { '': 1, 'a"b\\': 2, 'ü:☃': { ' ': '"x": 1' }, '\n': 3, constructor: 4 }],
  ])('%s are the same after both ways', (_what, fields) => {
    const bytes = BSON.serialize(fields);
    const again = readExtendedJson(writeExtendedJson(readBson(bytes)));
    expect(isOrderedDocument(again) && Buffer.from(BSON.serialize(again)).equals(bytes)).toBe(true);
  });

  test('text as other tools write it: blanks, relaxed numbers, the first version', () => {
    const text =
      '{ "b" : 1, "1" : {"$date": "1970-01-01T00:00:00Z"}, "__proto__": {"$regex":"a","$options":"i"} }';
    expect(readExtendedJson(text)).toEqual(
      new Map<string, unknown>([
        ['b', one],
        ['1', new Date(0)],
        ['__proto__', new BSON.BSONRegExp('a', 'i')],
      ]),
    );
  });

  test.each(['', '{', '{"a:1}', '{"a":1,}', '{"a" "b":1}', 'x'])('%j is no such text', (text) => {
    expect(() => readExtendedJson(text)).toThrow();
  });
});
