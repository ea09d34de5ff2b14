import { describe, expect, it, onTestFinished } from 'vitest';

import type { Catalog } from '../../src/catalog/catalog.ts';
import { MIGRATIONS } from '../../src/catalog/migrations/all.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { DatabaseDependents } from '../../src/databases/database-dependents.ts';
import type { DatabaseRequest } from '../../src/databases/database-edits.ts';
import { DatabaseSecrets } from '../../src/databases/database-secrets.ts';
import { Database } from '../../src/databases/database.entity.ts';
import { DatabasesService } from '../../src/databases/databases.service.ts';
import type { Engine } from '../../src/engines/engine.ts';
import { EngineRegistry } from '../../src/engines/engine-registry.ts';
import { POSTGRES_TRAITS } from '../../src/engines/postgres/postgres-traits.ts';
import { parsePostgresUri } from '../../src/engines/postgres/postgres-uri.ts';
import { EventCounter } from '../../src/events/event-counter.entity.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { EventTotal } from '../../src/events/event-total.entity.ts';
import { RecordedEvent } from '../../src/events/recorded-event.entity.ts';
import { NO_ORIGIN } from '../../src/idempotency/make-once.ts';
import { SecretBox } from '../../src/secrets/secret-box.ts';
import { deriveSecretKey } from '../../src/secrets/secret-key.ts';
import { type CatalogKind, catalogKinds } from '../catalog/places.ts';
import { ManualClock } from '../support/manual-clock.ts';

const DAY_MS = 24 * 3_600_000;
const schema = { entities: [Database, EventCounter, EventTotal, RecordedEvent], migrations: MIGRATIONS };
const secretsOf = async (text: string): Promise<DatabaseSecrets> =>
  new DatabaseSecrets(new SecretBox(await deriveSecretKey(text)));
const secrets = await secretsOf('an obviously fake passphrase for tests');
const engine = { kind: 'postgres', traits: POSTGRES_TRAITS, readUri: parsePostgresUri } as unknown as Engine;
const reused: unknown = expect.objectContaining({ code: 'idempotency-key-reused' });

function request(name: string, password = 'fake-password'): DatabaseRequest {
  const connection = { host: 'db.example.com', databaseName: 'shop', username: 'app', password };
  return { name, engine: 'postgres', connection, tls: {}, options: {} };
}

interface Room {
  catalog: Catalog;
  clock: ManualClock;
  databases: DatabasesService;
  /** Another service on the catalog. */
  another(secrets: DatabaseSecrets): DatabasesService;
}

async function room(kind: CatalogKind): Promise<Room> {
  const place = await kind.fresh();
  const { catalog, close } = await openCatalog(place.location, schema);
  onTestFinished(async () => {
    await close();
    await place[Symbol.asyncDispose]();
  });
  const clock = new ManualClock();
  const another = (its: DatabaseSecrets): DatabasesService =>
    new DatabasesService(
      catalog,
      new EngineRegistry([engine]),
      its,
      new DatabaseDependents(),
      clock,
      new EventLog(catalog, clock),
    );
  return { catalog, clock, databases: another(secrets), another };
}

describe.each(catalogKinds())('a registration with a key, in a catalog in $name', (kind) => {
  it('is carried out once, and told of once', async () => {
    const { catalog, databases } = await room(kind);
    const first = await databases.register(request('shop'), 'key');
    expect(await databases.register(request('shop'), 'key')).toEqual(first);
    expect(await catalog.read.count(Database)).toBe(1);
    expect(await catalog.read.countBy(RecordedEvent, { name: 'DatabaseRegistered' })).toBe(1);
  });

  it('is carried out once when it comes many times at once, by two services', async () => {
    const { catalog, databases, another } = await room(kind);
    const services = [databases, another(secrets)];
    const made = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => services[index % 2]!.register(request('shop'), 'key')),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await catalog.read.countBy(RecordedEvent, { name: 'DatabaseRegistered' })).toBe(1);
  });

  it('lets one of two that say different things have the key at once', async () => {
    const { catalog, databases } = await room(kind);
    const outcomes = await Promise.allSettled(
      ['shop', 'store'].map((name) => databases.register(request(name), 'key')),
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const [lost] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(lost).toEqual(reused);
    expect(await catalog.read.count(Database)).toBe(1);
  });

  it('knows the request by all that it said, the password too, also after that was changed', async () => {
    const { databases } = await room(kind);
    const { id } = await databases.register(request('shop'), 'key');
    const connection = { password: 'another-fake-password' };
    await databases.update(id, { connection, tls: {}, options: {} });
    expect((await databases.register(request('shop'), 'key')).id).toBe(id);
    await expect(databases.register(request('shop', connection.password), 'key')).rejects.toThrow(reused);
  });

  it('keeps nothing in the catalog by which a password could be guessed', async () => {
    const { catalog, databases } = await room(kind);
    const twice = [
      await databases.register(request('shop'), 'key'),
      await databases.register(request('store'), 'other'),
    ];
    const stored = JSON.stringify(await catalog.read.find(Database));
    expect(stored).not.toContain('fake-password');
    for (const { id, requestMark } of twice) {
      const other = await secretsOf('another obviously fake passphrase for tests');
      expect(other.markRequest(id, request('shop'))).not.toBe(requestMark);
    }
    const [one] = twice;
    expect(secrets.markRequest(one!.id, request('shop'))).toBe(one!.requestMark);
    expect(secrets.markRequest(twice[1]!.id, request('shop'))).not.toBe(one!.requestMark);
  });

  it('refuses to say that a request is the same when the service has another key', async () => {
    const { databases, another } = await room(kind);
    await databases.register(request('shop'), 'key');
    const other = another(await secretsOf('another obviously fake passphrase for tests'));
    await expect(other.register(request('shop'), 'key')).rejects.toThrow(reused);
  });

  it('gives its key up after a day, and not before', async () => {
    const { clock, databases } = await room(kind);
    const first = await databases.register(request('shop'), 'key');
    clock.advance(DAY_MS - 1);
    expect((await databases.register(request('shop'), 'key')).id).toBe(first.id);
    await expect(databases.register(request('store'), 'key')).rejects.toThrow(reused);
    clock.advance(1);
    const second = await databases.register(request('store'), 'key');
    expect(second.id).not.toBe(first.id);
    expect(await databases.get(first.id)).toEqual(Object.assign(first, NO_ORIGIN));
    // The first request is another one now.
    await expect(databases.register(request('shop'), 'key')).rejects.toThrow(reused);
  });

  it('is answered once when a key of last week is used many times at once', async () => {
    const { catalog, clock, databases } = await room(kind);
    await databases.register(request('shop'), 'key');
    clock.advance(7 * DAY_MS);
    const made = await Promise.all(
      Array.from({ length: 6 }, () => databases.register(request('store'), 'key')),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await catalog.read.count(Database)).toBe(2);
  });

  it('says after a day that the name is taken', async () => {
    const { clock, databases } = await room(kind);
    await databases.register(request('shop'), 'key');
    clock.advance(DAY_MS);
    await expect(databases.register(request('shop'), 'key')).rejects.toThrow(
      expect.objectContaining({ code: 'database-name-taken' }),
    );
  });
});
