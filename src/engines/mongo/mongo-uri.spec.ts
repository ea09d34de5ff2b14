import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { UriParts } from '../engine.js';
import { parseMongoUri } from './mongo-uri.js';

const cases: [uri: string, parts: UriParts][] = [
  [
    'mongodb://app:fake-password@db.example.com:27018/shop',
    {
      host: 'db.example.com',
      port: 27_018,
      databaseName: 'shop',
      username: 'app',
      password: 'fake-password',
      parameters: { authSource: 'shop' },
    },
  ],
  ['mongodb://db', { host: 'db' }],
  ['mongodb://db/', { host: 'db' }],
  ['mongodb://[::1]:5/', { host: '[::1]', port: 5 }],
  ['mongodb://app@db', { host: 'db', username: 'app' }],
  [
    'mongodb://app@db/?authSource=admin',
    { host: 'db', username: 'app', parameters: { authSource: 'admin' } },
  ],
  [
    'mongodb://a:1,b:2,[::1]:3/shop?replicaSet=rs0',
    { host: 'a', port: 1, databaseName: 'shop', parameters: { seeds: 'b:2,[::1]:3', replicaSet: 'rs0' } },
  ],
  [
    'mongodb+srv://u:fake@cluster.example.com/shop?retryWrites=true&w=majority',
    {
      host: 'cluster.example.com',
      databaseName: 'shop',
      username: 'u',
      password: 'fake',
      tlsMode: 'verify-full',
      parameters: { srv: 'true' },
    },
  ],
  [
    'mongodb+srv://c.example.com/?tls=false',
    { host: 'c.example.com', tlsMode: 'disable', parameters: { srv: 'true' } },
  ],
  ['mongodb://db/?TLS=true', { host: 'db', tlsMode: 'verify-full' }],
  ['mongodb://db/?ssl=true&tlsAllowInvalidHostnames=true', { host: 'db', tlsMode: 'verify-ca' }],
  ['mongodb://db/?tls=true&tlsInsecure=true', { host: 'db', tlsMode: 'require' }],
  ['mongodb://u:p%40%3A%2F@db/', { host: 'db', username: 'u', password: 'p@:/' }],
];

describe('parseMongoUri', () => {
  it.each(cases)('reads %s', (uri, parts) => {
    expect(parseMongoUri(uri)).toEqual(parts);
  });

  it.each([
    ['uri-invalid', ''],
    ['uri-invalid', 'postgres://db/shop'],
    ['uri-invalid', 'mongodb://'],
    ['uri-invalid', 'mongodb://u:fake@password@db/shop'],
    ['uri-invalid', 'mongodb://db/shop/more'],
    ['uri-invalid', 'mongodb://db/%zz'],
    ['uri-invalid', 'mongodb+srv://db:27017/shop'],
    ['uri-invalid', 'mongodb+srv://a,b/shop'],
    ['uri-invalid', 'mongodb://db/?tls=maybe'],
    ['uri-invalid', 'mongodb://db/?tls=true&ssl=false'],
    ['uri-invalid', 'mongodb://db/?tls=true&tls=true'],
    ['uri-parameter-unknown', 'mongodb://db/?tlsCAFile=/etc/ca.pem'],
    ['uri-parameter-unknown', 'mongodb://db/?seeds=a'],
    ['uri-parameter-unknown', 'mongodb://db/?proxyPassword=fake'],
  ])('refuses as %s: %s', (code, uri) => {
    expect(() => parseMongoUri(uri)).toThrow(expect.objectContaining({ code }));
  });

  it('never repeats what may be a password, and always ends', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          parseMongoUri(`mongodb://u:fake-secret${text}`);
        } catch (error) {
          expect(String(error)).not.toContain('fake-secret');
        }
      }),
    );
  });
});
