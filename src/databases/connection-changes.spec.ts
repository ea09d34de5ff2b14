import { describe, expect, it } from 'vitest';

import { POSTGRES_TRAITS } from '../engines/postgres/postgres-traits.js';
import { parsePostgresUri } from '../engines/postgres/postgres-uri.js';
import {
  type ConnectedEngine,
  type ConnectionChanges,
  type ConnectionFields,
  readConnection,
} from './connection-changes.js';

const postgres: ConnectedEngine = { traits: POSTGRES_TRAITS, readUri: parsePostgresUri };
const whole = 'postgres://app:fake-password@db:5433/shop?sslmode=require';

describe('readConnection', () => {
  it.each<[title: string, fields: ConnectionFields, changes: ConnectionChanges]>([
    ['nothing', {}, {}],
    [
      'fields',
      { host: '[::1]', port: 1, databaseName: 'My "Shop"' },
      { host: '::1', port: 1, databaseName: 'My "Shop"' },
    ],
    [
      'a whole URI',
      { uri: whole },
      {
        host: 'db',
        port: 5433,
        databaseName: 'shop',
        username: 'app',
        password: 'fake-password',
        tlsMode: 'require',
      },
    ],
    [
      'a URI and fields for what it leaves out',
      {
        uri: 'postgres://db',
        databaseName: 'shop',
        username: 'app',
        passwordVar: 'SHOP_PASSWORD',
        port: undefined,
      },
      { host: 'db', databaseName: 'shop', username: 'app', passwordVar: 'SHOP_PASSWORD' },
    ],
    [
      'a URI whose fields are empty',
      { uri: 'postgres://app@db', username: null },
      { host: 'db', username: 'app' },
    ],
    ['what is taken away', { username: null, password: null }, { username: null, password: null }],
    [
      'a password in exchange for a variable',
      { password: 'fake', passwordVar: null },
      { password: 'fake', passwordVar: null },
    ],
  ])('reads %s', (_title, fields, changes) => {
    expect(readConnection(fields, postgres)).toEqual(changes);
  });

  it.each<[code: string, fields: ConnectionFields]>([
    ['connection-ambiguous', { uri: whole, host: 'db' }],
    ['connection-ambiguous', { uri: whole, port: 5433 }],
    ['connection-ambiguous', { uri: whole, databaseName: 'shop' }],
    ['connection-ambiguous', { uri: whole, tlsMode: 'require' }],
    ['credentials-ambiguous', { uri: whole, username: 'app' }],
    ['credentials-ambiguous', { uri: whole, usernameVar: 'SHOP_USER' }],
    ['credentials-ambiguous', { uri: whole, password: 'fake-password' }],
    ['credentials-ambiguous', { uri: whole, passwordVar: 'SHOP_PASSWORD' }],
    ['credentials-ambiguous', { password: 'fake-password', passwordVar: 'SHOP_PASSWORD' }],
    ['credentials-ambiguous', { username: 'app', usernameVar: 'SHOP_USER' }],
    ['host-invalid', { host: '' }],
    ['host-invalid', { uri: 'postgres://a%2Cb/shop' }],
    ['host-invalid', { uri: 'postgres://%2Fvar%2Frun/shop' }],
    ['port-invalid', { uri: 'postgres://db:99999/shop' }],
    ['remote-name-invalid', { uri: 'postgres://db/a%00b' }],
    ['credentials-invalid', { password: '' }],
    ['credentials-invalid', { uri: 'postgres://app:fake%00password@db/shop' }],
    ['credentials-invalid', { passwordVar: '$SHOP_PASSWORD' }],
    ['uri-invalid', { uri: '' }],
    ['uri-invalid', { uri: 'mongodb://db/shop' }],
    ['connection-parameter-invalid', { parameters: { replicaSet: 'rs0' } }],
  ])('refuses as %s: %j', (code, fields) => {
    expect(() => readConnection(fields, postgres)).toThrow(expect.objectContaining({ code }));
  });
});
