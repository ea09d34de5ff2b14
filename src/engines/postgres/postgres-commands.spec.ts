import { describe, expect, it } from 'vitest';

import { databaseArgument, exactPattern, pgDump, pgRestore, psqlScript } from './postgres-commands.js';
import { passwordFile } from './tool-access.js';

const call = { file: '/usr/bin/tool', access: { env: { PGHOST: 'db' }, secrets: ['s'] } };

describe('databaseArgument', () => {
  it.each([
    ['shop', `dbname='shop'`],
    ['-rf /', `dbname='-rf /'`],
    ["it's", `dbname='it\\'s'`],
    ['back\\slash', `dbname='back\\\\slash'`],
    ['postgresql://evil@host/db', `dbname='postgresql://evil@host/db'`],
    ['a=b host=evil', `dbname='a=b host=evil'`],
    ['Größe "x"', `dbname='Größe "x"'`],
  ])('takes %s as a name', (name, expected) => {
    expect(databaseArgument(name)).toMatch(/^--dbname=dbname='/);
    expect(databaseArgument(name)).toContain(expected);
  });
});

describe('exactPattern', () => {
  it.each([
    [['public', 't'], '"public"."t"'],
    [['A*b?', '-x'], '"A*b?"."-x"'],
    [['a"b', 'c.d'], '"a""b"."c.d"'],
  ])('of %j', (names, pattern) => {
    expect(exactPattern(...names)).toBe(pattern);
  });
});

describe('pgDump', () => {
  const what = {
    databaseName: 'd',
    snapshot: '00-1',
    format: 'custom' as const,
    schemas: [],
    extensions: [],
    excludeTables: [],
  };

  it('dumps uncompressed in the given snapshot, and never asks for a password', () => {
    const { args, env, secrets } = pgDump(call, what);
    expect(args).toEqual([
      `--dbname=dbname='d' keepalives_idle=30 keepalives_interval=10 keepalives_count=3`,
      '--format=custom',
      '--compress=0',
      '--snapshot=00-1',
      '--lock-wait-timeout=5000',
      '--no-password',
      '--verbose',
    ]);
    expect({ env, secrets }).toEqual(call.access);
  });

  it('names schemas, extensions and exclusions exactly', () => {
    const { args } = pgDump(call, {
      ...what,
      format: 'plain',
      schemas: ['-a'],
      extensions: ['uuid-ossp'],
      excludeTables: [{ schema: 'x y', name: 'z"' }],
    });
    expect(args).toContain('--no-owner');
    expect(args.slice(-4)).toEqual([
      '--strict-names',
      '--schema="-a"',
      '--extension="uuid-ossp"',
      '--exclude-table="x y"."z"""',
    ]);
  });
});

describe('pgRestore', () => {
  const how = {
    databaseName: 'd',
    singleTransaction: true,
    exitOnError: true,
    jobs: 1,
    noOwner: false,
    noTablespaces: false,
  };

  it('stops at the first error, in one transaction', () => {
    expect(pgRestore(call, how).args).toEqual(
      expect.arrayContaining(['--single-transaction', '--exit-on-error', '--format=custom']),
    );
    expect(pgRestore(call, how).args).not.toContain('--jobs=1');
  });

  it('reads a staged file with several jobs', () => {
    const { args } = pgRestore(call, {
      ...how,
      singleTransaction: false,
      jobs: 4,
      archiveFile: '/w/a',
      listFile: '/w/l',
    });
    expect(args.slice(-3)).toEqual(['--jobs=4', '--use-list=/w/l', '/w/a']);
  });
});

describe('psqlScript', () => {
  it('reads no settings of anybody, stops at an error, and is one transaction', () => {
    expect(psqlScript(call, 'd').args).toEqual(
      expect.arrayContaining(['--no-psqlrc', '--set=ON_ERROR_STOP=1', '--single-transaction', '--file=-']),
    );
  });
});

describe('passwordFile', () => {
  it.each([
    [{ username: 'ann', password: 'simple' }, '*:*:*:ann:simple\n'],
    [{ username: 'a:b\\c', password: 'p:a\\ss' }, '*:*:*:a\\:b\\\\c:p\\:a\\\\ss\n'],
    [{ username: undefined, password: 'x' }, '*:*:*:*:x\n'],
    [{ username: 'ann', password: undefined }, ''],
  ])('for %j', (connection, line) => {
    expect(passwordFile(connection)).toBe(line);
  });
});
