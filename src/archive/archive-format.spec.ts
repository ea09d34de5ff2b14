import { describe, expect, test } from 'vitest';

import { splitKey } from '../storage/storage-key.js';
import { archiveNames, keyBeside, type ArchiveNaming } from './archive-format.js';

const naming: ArchiveNaming = {
  databaseName: 'shop',
  at: new Date('2026-11-21T03:15:07.999Z'),
  extension: 'dump',
  compression: 'zstd',
  sequence: 1,
};

describe('archiveNames', () => {
  test('names everything that one attempt may store', () => {
    expect(archiveNames(naming)).toEqual({
      dataKey: 'shop/backup_shop_20261121_031507.dump.zst',
      rolesKey: 'shop/backup_shop_20261121_031507.roles.sql.zst',
      manifestKey: 'shop/backup_shop_20261121_031507.dump.zst.manifest.json',
      dataFilename: 'backup_shop_20261121_031507.dump.zst',
      rolesFilename: 'backup_shop_20261121_031507.roles.sql.zst',
    });
  });

  test.each([
    [{ compression: 'gzip', extension: 'sql' }, 'shop/backup_shop_20261121_031507.sql.gz'],
    [{ compression: 'none', extension: 'archive' }, 'shop/backup_shop_20261121_031507.archive'],
    [{ sequence: 2 }, 'shop/backup_shop_20261121_031507_2.dump.zst'],
    [{ sequence: 11 }, 'shop/backup_shop_20261121_031507_11.dump.zst'],
    [{ at: new Date('2026-01-02T03:04:05Z') }, 'shop/backup_shop_20260102_030405.dump.zst'],
    [{ databaseName: 'a.b-c_D' }, 'a.b-c_D/backup_a.b-c_D_20261121_031507.dump.zst'],
  ] satisfies [Partial<ArchiveNaming>, string][])('with %j the data is %s', (changes, key) => {
    expect(archiveNames({ ...naming, ...changes }).dataKey).toBe(key);
  });

  test('the longest name of a database still makes keys that every destination takes', () => {
    const names = archiveNames({
      ...naming,
      databaseName: 'x'.repeat(63),
      extension: 'archive',
      sequence: 999,
    });
    for (const key of [names.dataKey, names.rolesKey, names.manifestKey])
      expect(splitKey(key)).toHaveLength(2);
  });

  test('no two of one attempt are the same, whatever the format', () => {
    for (const extension of ['dump', 'sql', 'archive']) {
      const names = archiveNames({ ...naming, extension });
      expect(new Set([names.dataKey, names.rolesKey, names.manifestKey]).size).toBe(3);
    }
  });
});

describe('keyBeside', () => {
  test.each([
    ['shop/one.manifest.json', 'one', 'shop/one'],
    ['a/b/one', 'two', 'a/b/two'],
    ['one', 'two', 'two'],
  ])('beside %j, %j has the key %j', (key, filename, expected) => {
    expect(keyBeside(key, filename)).toBe(expected);
  });
});
