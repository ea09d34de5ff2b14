import { MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, test } from 'vitest';

import { readServerError } from './builtin-dump.errors.js';

describe('what a server says while a dump reads', () => {
  test.each([
    [239, 'SnapshotTooOld', 'history-too-short'],
    [246, 'SnapshotUnavailable', 'history-too-short'],
    [26, 'NamespaceNotFound', 'collections-changed'],
    [43, 'CursorNotFound', 'collections-changed'],
    [175, 'QueryPlanKilled', 'collections-changed'],
  ])('%i, %s: %s, and a new attempt may be better', (code, codeName, expected) => {
    const read = readServerError(new MongoServerError({ code, codeName, errmsg: 'said' }), 'shop.orders');
    expect(read).toMatchObject({ code: expected, retryable: true });
    expect(read).toMatchObject({ message: expect.stringContaining('shop.orders') });
  });

  test('anything else is left as it is', () => {
    for (const error of [new MongoServerError({ code: 96 }), new MongoNetworkError('239'), 'text'])
      expect(readServerError(error, 'shop.orders')).toBe(error);
  });
});
