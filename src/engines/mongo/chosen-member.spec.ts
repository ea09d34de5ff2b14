import { describe, expect, it } from 'vitest';

import type { Connection } from '../engine.js';
import { directTo } from './chosen-member.js';
import { isDirect, uriOf } from './mongo-client-options.js';

const connection: Connection = {
  host: 'db.example.com',
  port: 27_017,
  databaseName: 'shop',
  username: 'backup',
  password: 'not-a-secret-for-tests',
  tls: { mode: 'verify-full' },
  parameters: {
    replicaSet: 'rs0',
    seeds: 'db2.example.com:27018',
    srv: 'true',
    readPreference: 'secondary',
    authSource: 'shop',
  },
};

describe('a connection to one member', () => {
  it.each([
    ['db3.example.com:27019', 'mongodb://db3.example.com:27019/'],
    ['[::1]:27020', 'mongodb://[::1]:27020/'],
  ])('goes to %s and to no other', (member, uri) => {
    const direct = directTo(connection, member);
    expect(uriOf(direct)).toBe(uri);
    expect(isDirect(direct)).toBe(true);
  });

  it('keeps who we are, and how we are encrypted', () => {
    const { username, password, databaseName, tls, parameters } = directTo(connection, 'm:1');
    expect({ username, password, databaseName, tls }).toEqual({
      username: connection.username,
      password: connection.password,
      databaseName: 'shop',
      tls: connection.tls,
    });
    expect(parameters).toEqual({ readPreference: 'secondary', authSource: 'shop', directConnection: 'true' });
  });
});
