import { describe, expect, it } from 'vitest';

import { MONGO_TRAITS } from '../engines/mongo/mongo-traits.js';
import { POSTGRES_TRAITS } from '../engines/postgres/postgres-traits.js';
import {
  checkCredential,
  checkHost,
  checkName,
  checkPort,
  checkRemoteName,
  checkVariableName,
} from './connection-rules.js';

describe('checkName', () => {
  it.each(['shop', 'A', 'a-b_c.d', '-', '_', '.hidden', '0', 'x'.repeat(63)])('takes %j', (name) => {
    expect(() => checkName(name)).not.toThrow();
  });

  it.each([
    '',
    '.',
    '..',
    '...',
    '../x',
    'a/b',
    'a b',
    'a\0b',
    'shop\n',
    'café',
    'x'.repeat(64),
    '019abc00-0000-7000-8000-000000000001',
    '019ABC00-0000-7000-8000-000000000001',
  ])('refuses %j', (name) => {
    expect(() => checkName(name)).toThrow(expect.objectContaining({ code: 'database-name-invalid' }));
  });
});

describe('checkHost', () => {
  it.each([
    ['localhost', 'localhost'],
    ['db.example.com', 'db.example.com'],
    ['db_1', 'db_1'],
    ['10.0.0.7', '10.0.0.7'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['münchen.example', 'münchen.example'],
  ])('takes %j as %j', (given, host) => {
    expect(checkHost(given)).toBe(host);
  });

  it.each([
    '',
    '[]',
    ' ',
    'a b',
    'db\n',
    'db\0',
    'db\u007f',
    'postgres://db',
    'db:5432',
    'db:',
    'one,two',
    '/var/run/postgresql',
    'user@db',
    'db/shop',
    'db?sslmode=disable',
    '[::1',
    '-h',
    'x'.repeat(254),
  ])('refuses %j', (host) => {
    expect(() => checkHost(host)).toThrow(expect.objectContaining({ code: 'host-invalid' }));
  });
});

describe('checkPort', () => {
  it.each([1, 5432, 65_535])('takes %d', (port) => {
    expect(() => checkPort(port)).not.toThrow();
  });

  it.each([0, -1, 65_536, 5432.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (port) => {
    expect(() => checkPort(port)).toThrow(expect.objectContaining({ code: 'port-invalid' }));
  });
});

describe('checkRemoteName', () => {
  it.each(['shop', 'My "Shop"', '-c', 'ünï cødé 🛒', 'two\nlines', '..', 'a/b', "it's", 'x'.repeat(63)])(
    'takes %j',
    (name) => {
      expect(() => checkRemoteName(name, POSTGRES_TRAITS)).not.toThrow();
    },
  );

  it.each(['', 'a\0b', 'a\ud800', 'x'.repeat(64), 'ü'.repeat(32)])('refuses %j', (name) => {
    expect(() => checkRemoteName(name, POSTGRES_TRAITS)).toThrow(
      expect.objectContaining({ code: 'remote-name-invalid' }),
    );
  });
});

describe('checkRemoteName for MongoDB', () => {
  it.each(['shop', '-c', 'ünï', "it's", 'x'.repeat(63)])('takes %j', (name) => {
    expect(() => checkRemoteName(name, MONGO_TRAITS)).not.toThrow();
  });

  it.each(['a b', 'a.b', 'a/b', 'a\\b', 'a"b', 'a$b', 'x'.repeat(64)])('refuses %j', (name) => {
    expect(() => checkRemoteName(name, MONGO_TRAITS)).toThrow(
      expect.objectContaining({ code: 'remote-name-invalid' }),
    );
  });
});

describe('checkCredential', () => {
  it.each(['fake-password', ' ', '"\'\\:@/', 'ünï', 'two\nlines', 'x'.repeat(1024)])('takes %j', (value) => {
    expect(() => checkCredential('password', value)).not.toThrow();
  });

  it.each(['', 'fake\0password', 'fake\udc00', 'x'.repeat(1025)])(
    'refuses %j and does not repeat it',
    (value) => {
      const check = (): void => checkCredential('password', value);
      expect(check).toThrow(expect.objectContaining({ code: 'credentials-invalid' }));
      expect(check).toThrow(/^(?!.*(fake|xxx))/);
    },
  );
});

describe('checkVariableName', () => {
  it.each(['PGPASSWORD', '_x', 'a1', 'X'.repeat(128)])('takes %j', (name) => {
    expect(() => checkVariableName('password_var', name)).not.toThrow();
  });

  it.each(['', '1A', 'A-B', 'A B', 'A=B', '$A', 'A\n', 'Ä', 'X'.repeat(129)])('refuses %j', (name) => {
    expect(() => checkVariableName('password_var', name)).toThrow(
      expect.objectContaining({ code: 'credentials-invalid' }),
    );
  });
});
