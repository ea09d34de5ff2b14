import { describe, expect, it } from 'vitest';

import { requestDigest, requestText } from './request-text.js';

describe('requestText', () => {
  it.each([
    [
      { a: 1, b: { d: 2, c: [3] } },
      { b: { c: [3], d: 2 }, a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
  ])('is the same of %j and %j', (one, other) => {
    expect(requestText(one)).toBe(requestText(other));
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: null }, {}],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: [] }, { a: {} }],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
    [{ a: 'b","c":"d' }, { a: 'b', c: 'd' }],
  ])('is another of %j than of %j', (one, other) => {
    expect(requestText(one)).not.toBe(requestText(other));
  });

  it('holds all that was said, fields of odd names too', () => {
    const said: unknown = JSON.parse('{"__proto__": {"a": 1}, "10": 2, "9": [{"z": true, "y": "ü"}]}');
    expect(JSON.parse(requestText(said))).toEqual(said);
    expect(requestText(said)).toContain('__proto__');
  });
});

describe('requestDigest', () => {
  it('is of the text, and fits its column', () => {
    expect(requestDigest({ a: 1, b: 2 })).toBe(requestDigest({ b: 2, a: 1 }));
    expect(requestDigest({ a: 1 })).not.toBe(requestDigest({ a: 2 }));
    expect(requestDigest({ a: 'x'.repeat(10_000) })).toHaveLength(43);
  });
});
