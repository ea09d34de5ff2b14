import { expect, test } from 'vitest';

import { allocateExpendable, freeExpendable } from './expendable-buffers.js';

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
