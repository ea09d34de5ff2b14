import { describe, expect, test } from 'vitest';

import { escaped, failedDocuments, finishedNamespace, mongodump, mongorestore } from './mongo-commands.js';

const call = {
  file: '/usr/bin/tool',
  access: { configFile: '/tmp/mongo-1/config.yaml', secrets: ['fake-password'], folder: '/tmp/mongo-1' },
};
const what = { databaseName: 'shop', exclude: [], oplog: false, usersAndRoles: false };

describe('mongodump', () => {
  test('dumps one database to stdout, uncompressed, and says no secret', () => {
    const { args, env } = mongodump(call, { ...what, exclude: ['-odd "name"'] });
    expect(args).toEqual([
      '--config=/tmp/mongo-1/config.yaml',
      '--archive',
      '--numParallelCollections=4',
      '--db=shop',
      '--excludeCollection=-odd "name"',
    ]);
    expect(env).toEqual({ HOME: '/tmp/mongo-1' });
  });

  test('dumps a whole replica set with its oplog', () => {
    const { args } = mongodump(call, { ...what, databaseName: '', oplog: true, usersAndRoles: true });
    expect(args.slice(2)).toEqual(['--numParallelCollections=4', '--oplog']);
  });

  test('dumps users and roles of one database on request', () => {
    expect(mongodump(call, { ...what, usersAndRoles: true }).args).toContain('--dumpDbUsersAndRoles');
  });
});

describe('mongorestore', () => {
  test('loads one database under another name, and stops at the first error', () => {
    expect(mongorestore(call, { from: 'shop', to: 'shop_2', jobs: 3 }).args).toEqual([
      '--config=/tmp/mongo-1/config.yaml',
      '--archive',
      '--nsInclude=shop.*',
      '--nsFrom=shop.$collection$',
      '--nsTo=shop_2.$collection$',
      '--stopOnError',
      '--bypassDocumentValidation',
      '--numParallelCollections=3',
    ]);
  });

  test('loads single collections, whatever they are called', () => {
    const { args } = mongorestore(call, { from: 'shop', to: 'x', collections: ['a*b', '$c\\'], jobs: 1 });
    expect(args.filter((arg) => arg.startsWith('--nsInclude'))).toEqual([
      String.raw`--nsInclude=shop.a\*b`,
      String.raw`--nsInclude=shop.\$c\\`,
    ]);
  });

  test.each([
    ['plain', 'plain'],
    ['a*b$c\\d', String.raw`a\*b\$c\\d`],
  ])('writes %s in a pattern as %s', (name, pattern) => {
    expect(escaped(name)).toBe(pattern);
  });
});

describe('what the tools say', () => {
  test.each([
    ['2026-11-21T03:00:00.000+0000\tdone dumping shop.a b (12 documents)', 'shop.a b'],
    ['2026-11-21T03:00:00.000+0000\tfinished restoring shop.x (1 document, 0 failures)', 'shop.x'],
    ["2026-11-28T17:10:44.425+0000\tdone dumping `shop.a.b 'x` (2 documents)", "shop.a.b 'x"],
    ['2026-11-28T17:10:44.701+0000\tfinished restoring `shop.`x`` (0 documents, 0 failures)', 'shop.`x`'],
    ['2026-11-21T03:00:00.000+0000\twriting shop.a to archive on stdout', undefined],
  ])('reads %s', (line, namespace) => {
    expect(finishedNamespace(line)).toBe(namespace);
  });

  test('counts documents that were refused', () => {
    const good = '12 document(s) restored successfully. 0 document(s) failed to restore.';
    expect(failedDocuments(good)).toBe(0);
    expect(failedDocuments(good.replace(' 0 d', ' 3 d'))).toBe(3);
  });
});
