import type { Db, MongoClient, TopologyDescriptionChangedEvent } from 'mongodb';

import { abortReason } from '../../process/abort-reason.js';
import type { Clock } from '../../clock/clock.js';
import type { Connection } from '../engine.js';
import { AuthenticationFailedError } from '../engines.errors.js';
import { type Fields, fieldsOf } from './fields.js';
import { authSourceOf, clientOptions, uriOf } from './mongo-client-options.js';
import { driver } from './mongo-driver.js';
import { readDriverError } from './mongo-error-reading.js';
import { chooseTls, reachServer } from './mongo-reach.js';
import { AuthSourceWrongError, ReplicaSetMismatchError } from './mongo.errors.js';

/** How long servers are given to hear that nothing more is wanted of them. Below the 5 s that an abort has. */
const GOODBYE_MS = 1000;

/** Texts of a connection that must never be seen. */
export function secretsOf(connection: Connection): string[] {
  return [connection.password ?? '', connection.tls.key ?? ''].filter((secret) => secret !== '');
}

/** What ends a session, and measures its time. */
interface SessionWatch {
  signal: AbortSignal;
  clock: Clock;
}

/** A driver's client for one call into the engine. Every failure of it is an `EngineError`. */
export class MongoSession implements AsyncDisposable {
  readonly connection: Connection;
  /** For what needs the driver itself; translate its errors by `reading`. */
  readonly client: MongoClient;
  /** Whether the connection is encrypted. */
  readonly usesTls: boolean;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #onAbort = (): void => void this.close();
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  /**
   * Connects within 10 s, which also covers a server that accepts and never answers. The session ends with `close`, or when
   * the signal aborts; what it does then rejects with the signal's reason.
   */
  static async open(
    connection: Connection,
    applicationName: string,
    signal: AbortSignal,
    clock: Clock,
  ): Promise<MongoSession> {
    signal.throwIfAborted();
    const reached = await reachServer(connection, signal, clock);
    const usesTls = await chooseTls(connection, reached, signal, clock);
    try {
      return await MongoSession.#connect(connection, applicationName, { signal, clock }, usesTls);
    } catch (error) {
      if (!(error instanceof AuthenticationFailedError) || connection.username === undefined) throw error;
      const right = await MongoSession.#otherAuthSource(connection, { signal, clock }, usesTls);
      if (right === undefined) throw error;
      throw new AuthSourceWrongError(connection, connection.username, authSourceOf(connection), right);
    }
  }

  static async #connect(
    connection: Connection,
    applicationName: string,
    watch: SessionWatch,
    usesTls: boolean,
  ): Promise<MongoSession> {
    const client = new (driver().MongoClient)(
      uriOf(connection),
      clientOptions(connection, applicationName, usesTls),
    );
    const session = new MongoSession(connection, client, watch, usesTls);
    const strangers = new AbortController();
    client.on('topologyDescriptionChanged', (event) => {
      if (isWithoutMembers(event)) {
        strangers.abort();
        void session.close();
      }
    });
    try {
      await session.reading(() => client.connect());
      // A driver connects without a word of who it is when no user is given; a server with users says so only now.
      await session.reading(() => client.db('admin').command({ ping: 1 }));
      return session;
    } catch (error) {
      await session.close();
      const { replicaSet } = connection.parameters ?? {};
      if (strangers.signal.aborted && !watch.signal.aborted && replicaSet !== undefined) {
        throw new ReplicaSetMismatchError(connection, replicaSet);
      }
      throw error;
    }
  }

  /** Servers do not say whether the password or the database was wrong; trying the other usual database does. */
  static async #otherAuthSource(
    connection: Connection,
    watch: SessionWatch,
    usesTls: boolean,
  ): Promise<string | undefined> {
    const given = authSourceOf(connection);
    const others = ['admin', connection.databaseName].filter((name) => name !== given && name !== '');
    for (const authSource of others) {
      const other = { ...connection, parameters: { ...connection.parameters, authSource } };
      try {
        const session = await MongoSession.#connect(other, 'backstop', watch, usesTls);
        await session.close();
        return authSource;
      } catch {
        watch.signal.throwIfAborted();
      }
    }
    return undefined;
  }

  private constructor(
    connection: Connection,
    client: MongoClient,
    { signal, clock }: SessionWatch,
    usesTls: boolean,
  ) {
    this.usesTls = usesTls;
    this.connection = connection;
    this.client = client;
    this.#signal = signal;
    this.#clock = clock;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  db(name: string = this.connection.databaseName): Db {
    return this.client.db(name);
  }

  /** Runs a command in a database. */
  async command(databaseName: string, command: Fields): Promise<Fields> {
    return fieldsOf(await this.reading(() => this.client.db(databaseName).command(command)));
  }

  /** Runs what uses the driver; what it throws becomes an `EngineError`, or the reason of an abort. */
  async reading<T>(work: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    const closed = Promise.withResolvers<never>();
    const onClosed = (): void => closed.reject(new (driver().MongoNetworkError)('the connection was closed'));
    this.#closed.signal.addEventListener('abort', onClosed, { once: true });
    if (this.#closed.signal.aborted) onClosed();
    try {
      // The driver forgets who waits for a connection when its pool is closed: their promises never settle.
      return await Promise.race([work(), closed.promise]);
    } catch (error) {
      if (this.#signal.aborted) throw abortReason(this.#signal);
      throw readDriverError(error, this.connection, secretsOf(this.connection));
    } finally {
      this.#closed.signal.removeEventListener('abort', onClosed);
    }
  }

  /** Ends the session and all it does. Any number of times; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    const heard = new AbortController();
    const goodbye = this.client
      .close(true)
      .catch(() => undefined)
      .finally(() => heard.abort());
    const patience = this.#clock.sleep(GOODBYE_MS, heard.signal).then(
      () => letGo(this.client),
      () => goodbye,
    );
    await patience;
    this.#closed.abort();
  }
}

/**
 * Closes what a client has open without a word. `close` of the driver ends each cursor and session on the server first, and waits for
 * its answers, 10 s for each of three: a server that is cut off would hold us for 30 s. The driver does not show its topology.
 */
function letGo(client: MongoClient): void {
  const topology: unknown = Reflect.get(client, 'topology');
  if (isClosable(topology)) topology.close();
}

function isClosable(value: unknown): value is { close(): void } {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}

/** Every server that was named turned out to belong to no such replica set, and the driver has none left to ask. */
function isWithoutMembers({ newDescription }: TopologyDescriptionChangedEvent): boolean {
  return newDescription.servers.size === 0 && newDescription.type.startsWith('ReplicaSet');
}
