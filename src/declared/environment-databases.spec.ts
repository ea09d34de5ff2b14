import { describe, expect, it } from 'vitest';

import { requestOf } from './environment-databases.js';

const from = (variables: Record<string, string>) =>
  requestOf('POSTGRES', 'postgres', (name) => variables[name]);

describe('the database that the environment names', () => {
  it('needs a host and a name; a user and a password alone are for others to refer to', () => {
    expect(from({ POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'not-a-secret' })).toBeUndefined();
    expect(from({ POSTGRES_HOST: 'db' })).toBeUndefined();
    expect(from({ POSTGRES_DB: 'shop' })).toBeUndefined();
  });

  it('has its credentials by the names of their variables, and never by their values', () => {
    const request = from({
      POSTGRES_HOST: 'db',
      POSTGRES_PORT: '5433',
      POSTGRES_DB: 'my shop/ü',
      POSTGRES_USER: 'u',
      POSTGRES_PASSWORD: 'not-a-secret',
    });
    expect(request).toMatchObject({
      name: 'my-shop--',
      engine: 'postgres',
      connection: {
        host: 'db',
        port: 5433,
        databaseName: 'my shop/ü',
        usernameVar: 'POSTGRES_USER',
        passwordVar: 'POSTGRES_PASSWORD',
      },
    });
    expect(JSON.stringify(request)).not.toContain('not-a-secret');
  });

  it('names no variable that is not set', () => {
    const request = from({ POSTGRES_HOST: 'db', POSTGRES_DB: 'shop' });
    expect(request?.connection).toEqual({ host: 'db', databaseName: 'shop' });
  });
});
