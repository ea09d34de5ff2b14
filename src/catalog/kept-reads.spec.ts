import { describe, expect, it } from 'vitest';

import { KeptReads } from './kept-reads.js';

/** A catalog of which only the revision matters, and reads that are counted and end when they are told to. */
function setUp() {
  const catalog: { revision: number | undefined } = { revision: 1 };
  const kept = new KeptReads<string>(catalog);
  const readings: PromiseWithResolvers<string>[] = [];
  const read = (): Promise<string> => {
    const reading = Promise.withResolvers<string>();
    readings.push(reading);
    return reading.promise;
  };
  return { catalog, kept, readings, read };
}

describe('what was read from the catalog', () => {
  it('is given again while the catalog is the same, to those who ask at once too', async () => {
    const { kept, readings, read } = setUp();
    const [first, second] = [kept.of('a', read), kept.of('a', read)];
    readings[0]?.resolve('one');
    expect([await first, await second, await kept.of('a', read)]).toEqual(['one', 'one', 'one']);
    expect(readings).toHaveLength(1);
  });

  it('is read anew after a commit, also when that came while it was being read', async () => {
    const { catalog, kept, readings, read } = setUp();
    const before = kept.of('a', read);
    catalog.revision = 2;
    const after = kept.of('a', read);
    readings[0]?.resolve('old');
    readings[1]?.resolve('new');
    expect([await before, await after, await kept.of('a', read)]).toEqual(['old', 'new', 'new']);
    expect(readings).toHaveLength(2);
  });

  it('is not kept when it could not be read', async () => {
    const { kept, readings, read } = setUp();
    const failing = kept.of('a', read);
    readings[0]?.reject(new Error('the disk is away'));
    await expect(failing).rejects.toThrow('the disk is away');
    const again = kept.of('a', read);
    readings[1]?.resolve('one');
    expect(await again).toBe('one');
  });

  it('is never kept where other processes write too', () => {
    const { catalog, kept, readings, read } = setUp();
    catalog.revision = undefined;
    void kept.of('a', read);
    void kept.of('a', read);
    expect(readings).toHaveLength(2);
  });

  it('is kept for a few questions only', () => {
    const { kept, readings, read } = setUp();
    for (let number = 0; number < 100; number += 1) void kept.of(String(number), read);
    void kept.of('99', read);
    expect(readings).toHaveLength(100);
    void kept.of('0', read);
    expect(readings).toHaveLength(101);
  });
});
