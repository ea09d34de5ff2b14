import { join } from 'node:path/posix';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { StorageKeyInvalidError } from './storage.errors.js';
import { compareKeys, isKeySegment, splitKey, splitPrefix } from './storage-key.js';
import { claimNameOf, isPartName, newPartName } from './storage-parts.js';

describe('splitKey', () => {
  test.each([
    ['a', ['a']],
    ['shop/backup_shop.dump.zst', ['shop', 'backup_shop.dump.zst']],
    ['-x/.hidden/... /é', ['-x', '.hidden', '... ', 'é']],
  ])('takes %j apart', (key, segments) => {
    expect(splitKey(key)).toEqual(segments);
  });

  test.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    'a/../b',
    'a\\b',
    'a\0',
    'a\u007f',
    '\ud800',
    'é'.repeat(128),
  ])('refuses %j', (key) => {
    expect(() => splitKey(key)).toThrow(StorageKeyInvalidError);
  });

  test('refuses a long key of short segments', () => {
    expect(splitKey('a/'.repeat(511) + 'bb')).toHaveLength(512);
    expect(() => splitKey('a/'.repeat(511) + 'bbb')).toThrow(/longer than 1024 bytes/);
  });

  test('what it takes never leads upward, and is itself again when joined', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '/', '\\', '\0', ' ') }), (key) => {
        const segments = attempt(() => splitKey(key));
        if (segments === undefined) return;
        expect(segments.join('/')).toBe(key);
        expect(segments).not.toContain('..');
        expect(join('/root', key)).toBe(`/root/${key}`);
      }),
    );
  });
});

describe('splitPrefix', () => {
  test.each([
    ['', []],
    ['sho', []],
    ['shop/', ['shop']],
    ['shop/2026/..', ['shop', '2026']],
  ])('%j names the folders %j', (prefix, folders) => {
    expect(splitPrefix(prefix)).toEqual(folders);
  });

  test.each(['/', '../', 'a//', 'a/../b', 'a\\'])('refuses %j', (prefix) => {
    expect(() => splitPrefix(prefix)).toThrow(StorageKeyInvalidError);
  });
});

describe('names of parts', () => {
  test('no key may have one, and each is known again', () => {
    for (const name of [newPartName('object'), claimNameOf('shop'), claimNameOf('x'.repeat(255))]) {
      expect(isPartName(name)).toBe(true);
      expect(isKeySegment(name)).toBe(false);
    }
    expect(newPartName('object')).not.toBe(newPartName('object'));
    expect(claimNameOf('a')).toBe(claimNameOf('a'));
  });
});

test('keys are ordered by their bytes, not by UTF-16', () => {
  const keys = ['\u{1f418}', '\uffee', 'a/b', 'a.b', 'a-b', 'Z'];
  expect([...keys].sort(compareKeys)).toEqual(['Z', 'a-b', 'a.b', 'a/b', '\uffee', '\u{1f418}']);
});

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
