import { MongoClient } from 'mongodb';
import { describe, expect, test } from 'vitest';

import type { Connection } from '../engine.js';
import { clientOptions, uriOf } from './mongo-client-options.js';
import { toolUri } from './tool-access.js';

const plain: Connection = { host: 'db', port: 27_018, databaseName: 'shop', tls: { mode: 'disable' } };
const user = { username: 'a@b', password: 'fake:/@ password' };

describe('where a server is', () => {
  test.each<[connection: Partial<Connection>, uri: string, isDirect: boolean]>([
    [{}, 'mongodb://db:27018/', true],
    [{ host: '::1' }, 'mongodb://[::1]:27018/', true],
    [{ parameters: { replicaSet: 'rs0' } }, 'mongodb://db:27018/', false],
    [{ parameters: { seeds: 'b,[::1]:3', replicaSet: 'rs0' } }, 'mongodb://db:27018,b:27017,[::1]:3/', false],
    [{ parameters: { srv: 'true' } }, 'mongodb+srv://db/', false],
    [{ parameters: { replicaSet: 'rs0', directConnection: 'true' } }, 'mongodb://db:27018/', true],
  ])('%j', (more, uri, isDirect) => {
    const connection = { ...plain, ...more };
    expect(uriOf(connection)).toBe(uri);
    expect(clientOptions(connection, 'x', false).directConnection).toBe(isDirect);
  });

  test('the driver takes every set of options', () => {
    const tls = { mode: 'verify-full', ca: 'PEM' } as const;
    const connection = {
      ...plain,
      ...user,
      tls,
      parameters: { readPreference: 'secondary', authSource: 'shop' },
    };
    const { options } = new MongoClient(uriOf(connection), clientOptions(connection, 'x', true));
    expect(options).toMatchObject({ tls: true, ca: 'PEM', rejectUnauthorized: true, directConnection: true });
    expect(options.credentials).toMatchObject({ ...user, source: 'shop' });
    expect(options.readPreference.mode).toBe('secondary');
  });
});

describe('the URI for tools, which stands in a private file', () => {
  test('says user and password, and means what the driver is told', () => {
    const connection = {
      ...plain,
      ...user,
      parameters: { seeds: 'b:1', replicaSet: 'rs0', readPreference: 'nearest' },
    };
    const uri = toolUri(connection, { appName: 'backstop 1' });
    expect(uri).toBe(
      'mongodb://a%40b:fake%3A%2F%40%20password@db:27018,b:1/?appName=backstop%201&replicaSet=rs0&readPreference=nearest&authSource=admin',
    );
    expect(new MongoClient(uri).options.credentials).toMatchObject({ ...user, source: 'admin' });
  });
});
