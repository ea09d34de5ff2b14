import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { readCursorAnswer } from './cursor-answer.js';

const answerOf = (fields: BSON.Document): Buffer => Buffer.from(BSON.serialize(fields));

describe('the answer of a cursor', () => {
  it('gives its documents as the bytes that they are, one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.string()), { maxLength: 30 }), (values) => {
        const answer = readCursorAnswer(answerOf({ firstBatch: values, id: 5n, ns: 'shop.orders' }));
        const expected = values.map((value) => BSON.serialize(value));
        expect(answer.documents.equals(Buffer.concat(expected))).toBe(true);
        expect(answer.count).toBe(values.length);
        expect(answer.cursorId).toBe(5n);
      }),
    );
  });

  it('says when there is no more, and which moment a snapshot is of, in any order of fields', () => {
    const clusterTime = new BSON.Timestamp({ t: 1_763_700_000, i: 7 });
    const fields = { ns: 'a.b', atClusterTime: clusterTime, id: 0n, partialResultsReturned: false };
    const answer = readCursorAnswer(answerOf({ ...fields, nextBatch: [{ a: 1 }] }));
    expect(answer.cursorId).toBe(0n);
    expect(answer.clusterTime?.equals(clusterTime)).toBe(true);
    expect(BSON.deserialize(answer.documents)).toEqual({ a: 1 });
    expect(readCursorAnswer(answerOf({ id: 1n })).clusterTime).toBeUndefined();
  });

  it('with any byte changed is read or refused, and never beyond its end', () => {
    const whole = answerOf({ id: 9n, ns: 'a.b', firstBatch: [{ a: 1 }, { b: 'text' }] });
    for (let place = 0; place < whole.length; place += 1) {
      for (const byte of [0, 1, 4, 0x7f, 0xff]) {
        const damaged = Buffer.from(whole);
        damaged[place] = byte;
        try {
          const { documents } = readCursorAnswer(damaged);
          expect(documents.length).toBeLessThan(whole.length);
        } catch (error) {
          expect(error).toMatchObject({ message: expect.stringMatching(/in a form that is not known/) });
        }
      }
    }
  });
});
