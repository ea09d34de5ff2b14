import { expect, test } from 'vitest';

import { allocateExpendable, freeExpendable, makeExpendable } from './expendable-buffers.js';

test('frees what was allocated for that, once, and a piece of it with it', () => {
  const chunk = allocateExpendable(100).fill(7);
  const piece = chunk.subarray(10, 20);
  freeExpendable(piece);
  expect([chunk.length, piece.length]).toEqual([0, 0]);
  expect(() => freeExpendable(chunk)).not.toThrow();
});

test('leaves every other buffer alone, also one out of the pool that small buffers share', () => {
  const pooled = Buffer.from('of the pool');
  const own = Buffer.allocUnsafeSlow(11).fill('x');
  freeExpendable(pooled);
  freeExpendable(own);
  expect([pooled.toString(), own.toString()]).toEqual(['of the pool', 'xxxxxxxxxxx']);
});

test('frees what somebody else has allocated and gives up, unless it lies in that pool', () => {
  const given = Buffer.allocUnsafe(Buffer.poolSize * 2);
  const pooled = Buffer.from('of the pool');
  for (const buffer of [given, pooled]) {
    makeExpendable(buffer.subarray(1));
    freeExpendable(buffer);
  }
  expect(given.length).toBe(0);
  expect(pooled.toString()).toBe('of the pool');
});
