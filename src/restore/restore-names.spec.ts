import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { cutToBytes, keptName, restoredName, restoringName } from './restore-names.js';

const at = new Date('2026-11-21T03:00:09.750Z');
const restoreId = '019aa3f0-1111-7000-8000-0123456789ab';

describe('names of restored databases', () => {
  test('say what they are, of which database, and when', () => {
    expect(restoredName('shop', at, 1, 63)).toBe('shop_restored_20261121_030009');
    expect(restoringName('shop', restoreId, 1, 63)).toBe('shop_restoring_0123456789ab');
    expect(keptName('shop', at, 1, 63)).toBe('shop_before_restore_20261121_030009');
  });

  test('tell turns and attempts apart', () => {
    expect(restoredName('shop', at, 2, 63)).toBe('shop_restored_20261121_030009_2');
    expect(restoringName('shop', restoreId, 3, 63)).toBe('shop_restoring_0123456789ab_3');
    expect(keptName('shop', at, 2, 63)).toBe('shop_before_restore_20261121_030009_2');
  });

  test('keep any character of the name before', () => {
    expect(keptName(`-c "ünï cødé" 🛒'`, at, 1, 63)).toBe(`-c "ünï cødé" 🛒'_before_restore_20261121_030009`);
  });

  test('any name becomes one that fits, is well-formed, and begins as the name does', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 63 }),
        fc.integer({ min: 1, max: 99 }),
        (base, turn) => {
          const made = [
            [restoredName(base, at, turn, 63), '_restored_'],
            [restoringName(base, restoreId, turn, 63), '_restoring_'],
            [keptName(base, at, turn, 63), '_before_restore_'],
          ] as const;
          for (const [name, word] of made) {
            expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
            expect(name.isWellFormed()).toBe(true);
            expect(base.startsWith(name.slice(0, name.lastIndexOf(word)))).toBe(true);
          }
        },
      ),
    );
  });
});

describe('cutting to bytes', () => {
  test.each([
    ['shop', 10, 'shop'],
    ['shop', 4, 'shop'],
    ['shop', 3, 'sho'],
    ['üü', 3, 'ü'],
    ['a🛒', 4, 'a'],
    ['a🛒', 5, 'a🛒'],
    ['🛒', 0, ''],
  ])('%j to %d bytes is %j', (text, bytes, cut) => {
    expect(cutToBytes(text, bytes)).toBe(cut);
  });
});
