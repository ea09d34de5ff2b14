import * as fc from 'fast-check';
import { parse as referenceParse } from 'pg-connection-string';
import { describe, expect, it } from 'vitest';

import type { UriParts } from '../engine.js';
import { UriInvalidError, UriParameterUnknownError } from '../engines.errors.js';
import { parsePostgresUri } from './postgres-uri.js';

const cases: [uri: string, parts: UriParts][] = [
  [
    'postgres://app:fake-password@db.example.com:5433/shop',
    { host: 'db.example.com', port: 5433, databaseName: 'shop', username: 'app', password: 'fake-password' },
  ],
  ['postgresql://db/shop', { host: 'db', databaseName: 'shop' }],
  ['POSTGRES://db/shop', { host: 'db', databaseName: 'shop' }],
  ['postgres://app@db/shop', { host: 'db', databaseName: 'shop', username: 'app' }],
  ['postgres://db', { host: 'db' }],
  ['postgres://db/', { host: 'db' }],
  ['postgres://db:/shop', { host: 'db', databaseName: 'shop' }],
  ['postgres:///shop', { databaseName: 'shop' }],
  ['postgres://app:@db/shop', { host: 'db', databaseName: 'shop', username: 'app' }],
  ['postgres://[::1]:5432/shop', { host: '[::1]', port: 5432, databaseName: 'shop' }],
  [
    'postgres://a%40b:f%3Aa%2Fk%23e%25@db/My%20%22Shop%22',
    { host: 'db', username: 'a@b', password: 'f:a/k#e%', databaseName: 'My "Shop"' },
  ],
  ['postgres://db/%2e%2e', { host: 'db', databaseName: '..' }],
  ['postgres://db/../shop', { host: 'db', databaseName: '../shop' }],
  ['postgres://db/a+b', { host: 'db', databaseName: 'a+b' }],
  ['postgres://db/%F0%9F%9B%92', { host: 'db', databaseName: '🛒' }],
  ['postgres://db/shop?sslmode=verify-full', { host: 'db', databaseName: 'shop', tlsMode: 'verify-full' }],
  ['postgres://db/shop?', { host: 'db', databaseName: 'shop' }],
  ['postgres://db:99999/shop', { host: 'db', port: 99_999, databaseName: 'shop' }],
];

describe('parsePostgresUri', () => {
  it.each(cases)('reads %s', (uri, parts) => {
    expect(parsePostgresUri(uri)).toEqual(parts);
  });

  it.each([
    ['nothing', ''],
    ['another scheme', 'mysql://app:fake-password@db/shop'],
    ['no scheme', 'app:fake-password@db/shop'],
    ['a port that is none', 'postgres://app:fake-password@db:54x2/shop'],
    ['an @ in the password', 'postgres://app:fake@password@db/shop'],
    ['a # in the password', 'postgres://app:fake#password@db/shop'],
    ['a ? in the password', 'postgres://app:fake?password@db/shop'],
    ['a / in the password', 'postgres://app:fake/password@db/shop'],
    ['a % without a code', 'postgres://app:fake%password@db/shop'],
    ['a code that is not UTF-8', 'postgres://app:fake%ffpassword@db/shop'],
    ['a fragment', 'postgres://app:fake-password@db/shop#x'],
    ['an open bracket', 'postgres://app:fake-password@[::1/shop'],
    ['an address without brackets', 'postgres://app:fake-password@::1/shop'],
    ['an sslmode that is none', 'postgres://app:fake-password@db/shop?sslmode=allow'],
    ['sslmode twice', 'postgres://app:fake-password@db/shop?sslmode=require&sslmode=disable'],
    ['a blank before', ' postgres://app:fake-password@db/shop'],
    ['a raw @ and / in the password', 'postgres://shop:f@ke/fake@db/shop'],
  ])('refuses %s without repeating the password', (_name, uri) => {
    const parse = (): UriParts => parsePostgresUri(uri);
    expect(parse).toThrow(/^(?!.*fake)/);
    expect(parse).toThrow(UriInvalidError);
  });

  it.each([['application_name'], ['sslrootcert'], ['host'], ['options'], ['channel_binding']])(
    'names the parameter %s that it would not obey',
    (name) => {
      const parse = (): UriParts => parsePostgresUri(`postgres://db/shop?sslmode=require&${name}=x`);
      expect(parse).toThrow(UriParameterUnknownError);
      expect(parse).toThrow(name);
    },
  );

  it('gives back any user, password and name that were encoded', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, text, text, (username, password, databaseName) => {
        const uri = `postgres://${[username, password].map(encodeURIComponent).join(':')}@db/${encodeURIComponent(databaseName)}`;
        expect(parsePostgresUri(uri)).toEqual({ host: 'db', username, password, databaseName });
      }),
    );
  });

  it('agrees with the parser of the pg driver on ordinary URIs', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_.~!$&'()*+;=-]{1,20}$/);
    const host = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}[a-z0-9]$/);
    fc.assert(
      fc.property(
        word,
        word,
        host,
        fc.integer({ min: 1, max: 65_535 }),
        word,
        (user, password, host, port, name) => {
          fc.pre(!/^\.{1,2}$/.test(name));
          const uri = `postgresql://${user}:${password}@${host}:${port}/${name}`;
          const reference = referenceParse(uri);
          expect(parsePostgresUri(uri)).toEqual({
            host: reference.host,
            port: Number(reference.port),
            databaseName: reference.database,
            username: reference.user,
            password: reference.password,
          });
        },
      ),
    );
  });
});
