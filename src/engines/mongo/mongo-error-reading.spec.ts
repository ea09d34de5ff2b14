import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { describe, expect, test } from 'vitest';

import { QueryFailedError } from '../engines.errors.js';
import { RestoreFailedError } from '../tools.errors.js';
import { readDriverError, readToolText } from './mongo-error-reading.js';

const at = { host: 'db', port: 27_017, username: 'backup', databaseName: 'shop' };
const server = (code: number, errmsg: string): MongoServerError => new MongoServerError({ code, errmsg });

describe('errors of the driver', () => {
  test.each<[code: string, retryable: boolean, error: Error]>([
    ['authentication-failed', false, server(18, 'Authentication failed.')],
    ['permission-denied', false, server(13, 'not authorized on shop to execute command { find: "a" }')],
    ['server-disk-full', false, server(14_031, 'Cannot write: disk')],
    ['connection-lost', true, server(11_600, 'interrupted at shutdown')],
    ['connection-lost', true, server(189, 'not primary so we cannot begin')],
    ['query-cancelled', true, server(11_601, 'operation was interrupted')],
    ['duplicate-key', false, server(11_000, 'E11000 duplicate key error')],
    ['name-refused', false, server(73, 'Invalid collection name: a$b')],
    ['target-database-exists', false, server(48, 'Collection already exists. NS: shop.a')],
    ['connection-lost', true, new MongoNetworkError('connection 3 to 10.0.0.1:27017 closed')],
    ['server-unreachable', true, new MongoNetworkError('connect ECONNREFUSED 10.0.0.1:27017')],
    ['tls-failed', false, new MongoNetworkError('self-signed certificate in certificate chain')],
    ['query-failed', false, server(96, 'something new')],
  ])('%s, retryable %s: %s', (code, retryable, error) => {
    expect(readDriverError(error, at, [])).toMatchObject({ code, retryable });
  });

  test.each([
    [
      'the members of a set that knows itself by other names',
      ['db-1.inside:27017'],
      'replica-set-unreachable',
    ],
    ['all that were named, none of which answers', ['db:27017'], 'server-unreachable'],
  ])('%s', (_, addresses, code) => {
    const refused = new MongoNetworkError('connect ECONNREFUSED 10.0.0.1:27017');
    const servers = addresses.map((address) => [address, { address, type: 'Unknown', error: refused }]);
    const description: unknown = { type: 'ReplicaSetNoPrimary', servers: new Map(servers as never) };
    const error = new MongoServerSelectionError(
      'Server selection timed out after 10000 ms',
      description as never,
    );
    const asked = { ...at, parameters: { replicaSet: 'rs0' } };
    expect(readDriverError(error, asked, [])).toMatchObject({ code, retryable: true });
  });

  test('a missing user is no missing right', () => {
    const nobody = { ...at, username: undefined };
    expect(readDriverError(server(13, 'Command find requires authentication'), nobody, [])).toMatchObject({
      code: 'authentication-failed',
    });
  });

  test('an error of ours passes, and no secret does', () => {
    const ours = new QueryFailedError('x');
    expect(readDriverError(ours, at, [])).toBe(ours);
    const leaky = readDriverError(server(96, 'bad: fake-secret'), at, ['fake-secret']);
    expect(leaky.message).not.toContain('fake-secret');
  });
});

describe('what the tools say', () => {
  const otherwise = (reason: string): RestoreFailedError => new RestoreFailedError('mongorestore', reason);
  const stamp = '2026-11-21T03:00:00.000+0000\t';

  test.each([
    [
      'authentication-failed',
      'Failed: can’t create session: could not connect to server: auth error: sasl conversation error',
    ],
    ['server-unreachable', 'error connecting to host: dial tcp 10.0.0.1:27017: connect: connection refused'],
    ['server-timeout', 'error connecting to host: server selection error: server selection timeout'],
    ['permission-denied', 'Failed: shop.a: (Unauthorized) not authorized on shop to execute command'],
    ['duplicate-key', 'Failed: shop.a: error restoring: E11000 duplicate key error collection: shop.a'],
    [
      'name-refused',
      'Failed: shop.a$b: error creating collection: (InvalidNamespace) Invalid collection name',
    ],
    ['archive-foreign', 'Failed: stream or file does not appear to be a mongodump archive'],
    [
      'connection-lost',
      'Failed: error reading collection: connection(db:27017[-4]) socket was unexpectedly closed: EOF',
    ],
    ['restore-failed', 'Failed: something else'],
  ])('%s: %s', (code, line) => {
    expect(readToolText(`${stamp}preparing\n${stamp}${line}\n`, at, otherwise)).toMatchObject({ code });
  });
});
