import { describe, expect, it } from 'vitest';

import type { Engine } from '../engines/engine.js';
import { MONGO_TRAITS } from '../engines/mongo/mongo-traits.js';
import { parseMongoUri } from '../engines/mongo/mongo-uri.js';
import { POSTGRES_TRAITS } from '../engines/postgres/postgres-traits.js';
import { parsePostgresUri } from '../engines/postgres/postgres-uri.js';
import { SecretBox } from '../secrets/secret-box.js';
import { deriveSecretKey } from '../secrets/secret-key.js';
import { blankDatabase, type DatabaseEdits, editDatabase } from './database-edits.js';
import { DatabaseSecrets } from './database-secrets.js';
import type { Database } from './database.entity.js';
import { toDatabaseView } from './dto/database.view.js';

const engine: Pick<Engine, 'kind' | 'traits' | 'readUri'> = {
  kind: 'postgres',
  traits: POSTGRES_TRAITS,
  readUri: parsePostgresUri,
};
const mongo: Pick<Engine, 'kind' | 'traits' | 'readUri'> = {
  kind: 'mongodb',
  traits: MONGO_TRAITS,
  readUri: parseMongoUri,
};
const secrets = new DatabaseSecrets(
  new SecretBox(await deriveSecretKey('an obviously fake passphrase for tests')),
);
const otherBox = new SecretBox(await deriveSecretKey('another obviously fake passphrase for tests'));
const then = new Date('2026-11-21T03:00:00Z');
const id = '019abc00-0000-7000-8000-000000000001';

const nothing: DatabaseEdits = { connection: {}, tls: {}, options: {} };
const shop: DatabaseEdits = { ...nothing, name: 'shop', connection: { host: 'db', databaseName: 'shop' } };

function edited(...steps: Partial<DatabaseEdits>[]): Database {
  const database = blankDatabase(id, engine, then);
  for (const step of steps) editDatabase(database, { ...nothing, ...step }, engine, secrets);
  return database;
}

describe('editDatabase', () => {
  it('makes a database of little, with the defaults of its engine', () => {
    expect(toDatabaseView(edited(shop))).toEqual({
      id,
      name: 'shop',
      engine: 'postgres',
      host: 'db',
      port: 5432,
      database_name: 'shop',
      tls: { mode: 'prefer' },
      options: {},
      created_at: '2026-11-21T03:00:00.000Z',
      updated_at: '2026-11-21T03:00:00.000Z',
    });
  });

  it('seals the password for this row, and shows only that there is one', () => {
    const database = edited(shop, { connection: { password: 'fake-password' } });
    expect(JSON.stringify(database)).not.toContain('fake-password');
    expect(secrets.openPassword(database)).toBe('fake-password');
    expect(toDatabaseView(database).password).toBe('set');
    expect(() => secrets.openPassword(Object.assign(database, { id: `${id.slice(0, -1)}2` }))).toThrow(
      expect.objectContaining({ code: 'secret-damaged' }),
    );
  });

  it('lets a password and a variable take the place of each other', () => {
    const password = { connection: { password: 'fake-password' } };
    const variable = { connection: { passwordVar: 'SHOP_PASSWORD' } };
    expect(toDatabaseView(edited(shop, password, variable))).toMatchObject({ password_var: 'SHOP_PASSWORD' });
    expect(toDatabaseView(edited(shop, password, variable))).not.toHaveProperty('password');
    expect(toDatabaseView(edited(shop, variable, password))).toMatchObject({ password: 'set' });
    expect(toDatabaseView(edited(shop, variable, password))).not.toHaveProperty('password_var');
  });

  it('lets a user name and a variable take the place of each other', () => {
    const username = { connection: { username: 'app' } };
    const variable = { connection: { usernameVar: 'SHOP_USER' } };
    expect(edited(shop, username, variable)).toMatchObject({ username: null, usernameVar: 'SHOP_USER' });
    expect(edited(shop, variable, username)).toMatchObject({ username: 'app', usernameVar: null });
  });

  it('takes credentials away when told, and only then', () => {
    const both = { connection: { username: 'app', password: 'fake-password' } };
    expect(edited(shop, both, { name: 'other' })).toMatchObject({ name: 'other', username: 'app' });
    expect(edited(shop, both, { name: 'other' }).passwordSealed).not.toBeNull();
    const none = { connection: { username: null, password: null } };
    expect(edited(shop, both, none)).toMatchObject({ username: null, passwordSealed: null });
  });

  it('changes what a URI says and leaves the rest', () => {
    const moved = { connection: { uri: 'postgres://other:fake-new@db2/shop2?sslmode=require' } };
    const database = edited(shop, { connection: { port: 5433, password: 'fake-password' } }, moved);
    expect(database).toMatchObject({ host: 'db2', port: 5433, databaseName: 'shop2', username: 'other' });
    expect(database.tls).toEqual({ mode: 'require' });
    expect(secrets.openPassword(database)).toBe('fake-new');
  });

  it('changes nothing when any edit is refused', () => {
    const database = edited(shop);
    const before = JSON.stringify(database);
    const edits: DatabaseEdits = {
      name: 'other',
      connection: { host: 'db2', password: 'fake-password' },
      tls: { mode: 'require' },
      options: { compressionLevel: 99 },
    };
    expect(() => editDatabase(database, edits, engine, secrets)).toThrow(
      expect.objectContaining({ code: 'options-invalid' }),
    );
    expect(JSON.stringify(database)).toBe(before);
  });

  it('gives a new password to a row whose TLS key cannot be opened any more', () => {
    const database = edited(shop);
    const keySealed = new DatabaseSecrets(otherBox).sealTls(id, { mode: 'require', key: 'fake' }).keySealed;
    database.tls = { mode: 'require', cert: 'fake', ...(keySealed !== undefined && { keySealed }) };
    const password = { ...nothing, connection: { password: 'fake-new' } };
    editDatabase(database, password, engine, secrets);
    expect(secrets.openPassword(database)).toBe('fake-new');
    expect(() => editDatabase(database, { ...nothing, tls: { mode: 'prefer' } }, engine, secrets)).toThrow(
      expect.objectContaining({ code: 'secret-key-mismatch' }),
    );
    editDatabase(database, { ...nothing, tls: { cert: null, key: null } }, engine, secrets);
    expect(database.tls).toEqual({ mode: 'require' });
  });

  it.each([
    { step: { host: 'elsewhere' }, moved: ['host'] },
    { step: { port: 5433 }, moved: ['port'] },
    { step: { uri: 'postgres://elsewhere:5433/shop' }, moved: ['host', 'port'] },
  ])('sends a stored password to no other server: $step', ({ step, moved }) => {
    const stored = { ...shop, connection: { ...shop.connection, password: 'fake-password' } };
    expect(() => edited(stored, { connection: step })).toThrow(
      expect.objectContaining({ code: 'password-needed', facts: { moved } }),
    );
    for (const again of [
      { password: 'fake-password' },
      { passwordVar: 'SHOP_PASSWORD' },
      { password: null },
    ]) {
      const given = 'uri' in step ? { host: 'elsewhere', port: 5433 } : step;
      expect(edited(stored, { connection: { ...given, ...again } })).toMatchObject(given);
    }
    const named = { ...shop, connection: { ...shop.connection, passwordVar: 'SHOP_PASSWORD' } };
    expect(() => edited(named, { connection: step })).not.toThrow();
    expect(() => edited(stored, { connection: { host: 'db', port: 5432 } })).not.toThrow();
  });

  it('asks for what has no default', () => {
    expect(() => edited({ name: 'shop', connection: {} })).toThrow(
      expect.objectContaining({
        code: 'connection-incomplete',
        facts: { missing: ['host', 'database_name'] },
      }),
    );
  });
});

describe('a database whose engine has connection parameters', () => {
  const cluster = 'mongodb://app:fake-password@a:27018,b:27019/shop?replicaSet=rs0&readPreference=secondary';

  function editedMongo(...steps: DatabaseEdits['connection'][]): Database {
    const database = blankDatabase(id, mongo, then);
    for (const connection of steps) {
      editDatabase(database, { ...nothing, name: 'shop', connection }, mongo, secrets);
    }
    return database;
  }

  it('takes them from the URI', () => {
    expect(toDatabaseView(editedMongo({ uri: cluster }))).toMatchObject({
      host: 'a',
      port: 27_018,
      database_name: 'shop',
      parameters: { seeds: 'b:27019', replicaSet: 'rs0', readPreference: 'secondary', authSource: 'shop' },
    });
  });

  it('keeps those that are not about the address when the server is another one', () => {
    expect(editedMongo({ uri: cluster }, { host: 'elsewhere', password: 'fake-new' }).parameters).toEqual({
      readPreference: 'secondary',
      authSource: 'shop',
    });
  });

  it('sends a stored password to no further member of a cluster', () => {
    const changes: (Record<string, string> | null)[] = [{ seeds: 'c:1' }, { srv: 'true' }, null];
    for (const parameters of changes) {
      expect(() => editedMongo({ uri: cluster }, { parameters })).toThrow(
        expect.objectContaining({ code: 'password-needed' }),
      );
    }
  });

  it('replaces one and takes one away', () => {
    const parameters = { authSource: 'admin', readPreference: null };
    expect(editedMongo({ uri: cluster }, { parameters }).parameters).toEqual({
      seeds: 'b:27019',
      replicaSet: 'rs0',
      authSource: 'admin',
    });
    const all = { parameters: null, password: 'fake-new' };
    expect(editedMongo({ uri: cluster }, all).parameters).toEqual({});
  });

  it('means the whole server without a name', () => {
    expect(toDatabaseView(editedMongo({ host: 'a' }))).not.toHaveProperty('database_name');
    expect(editedMongo({ uri: cluster }, { databaseName: null }).databaseName).toBe('');
  });
});
