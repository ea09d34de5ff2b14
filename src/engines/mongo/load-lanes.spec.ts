import { setImmediate } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { LoadLanes } from './load-lanes.js';

function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('LoadLanes', () => {
  test('runs no more at once than it may', async () => {
    const lanes = new LoadLanes(2);
    const gates = [gate(), gate(), gate()];
    let running = 0;
    let most = 0;
    const adding = (async () => {
      for (const { opened } of gates) {
        await lanes.add(undefined, async () => {
          running += 1;
          most = Math.max(most, running);
          await opened;
          running -= 1;
        });
      }
    })();
    await setImmediate();
    for (const { open } of gates) open();
    await adding;
    await lanes.done();
    expect([most, running]).toEqual([2, 0]);
  });

  test('keeps the order within a lane', async () => {
    const lanes = new LoadLanes(3);
    const first = gate();
    const order: string[] = [];
    await lanes.add('a', async () => {
      await first.opened;
      order.push('a1');
    });
    await lanes.add('a', () => Promise.resolve(void order.push('a2')));
    await lanes.add('b', () => Promise.resolve(void order.push('b1')));
    first.open();
    await lanes.done();
    expect(order).toEqual(['b1', 'a1', 'a2']);
  });

  test('tells the first failure, and begins nothing after it', async () => {
    const lanes = new LoadLanes(1);
    await lanes.add('a', () => Promise.reject(new Error('first')));
    await expect(lanes.add('a', () => Promise.reject(new Error('second')))).rejects.toThrow('first');
    await lanes.settled();
    await expect(lanes.done()).rejects.toThrow('first');
  });
});
