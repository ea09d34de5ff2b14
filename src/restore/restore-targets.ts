import { Injectable } from '@nestjs/common';

import type { Backup } from '../backups/backup.entity.js';
import { Catalog } from '../catalog/catalog.js';
import { type ConnectionFields, readConnection } from '../databases/connection-changes.js';
import { mergeParameters, withoutAddress } from '../databases/connection-parameters.js';
import { ConnectionOpener } from '../databases/connection-opener.js';
import { requireDatabase } from '../databases/database-rows.js';
import { Database } from '../databases/database.entity.js';
import { ConnectionIncompleteError } from '../databases/databases.errors.js';
import { checkTls, DEFAULT_TLS, mergeTls, type TlsChanges } from '../databases/tls-rules.js';
import type { Connection, Engine, EngineTraits } from '../engines/engine.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { SecretBox, type SecretPlace } from '../secrets/secret-box.js';
import {
  RestoreEngineMismatchError,
  RestoreTargetAmbiguousError,
  RestoreTargetMissingError,
} from './restore.errors.js';
import type { Restore } from './restore.entity.js';

/** Where to restore to, as a request says it. */
export interface TargetRequest {
  /** Id or name of a registered database: its server, and in mode `replace` the database itself. */
  database?: string | undefined;
  connection?: InlineConnection | undefined;
  /** Name of the database on that server. */
  databaseName?: string | undefined;
}

/** A server that is not registered. Holds a password in clear: seal it and let go of it. */
export interface InlineConnection {
  fields: ConnectionFields;
  tls: TlsChanges;
}

/** A server to restore to. `connection` holds an opened password: never log it. */
export interface RestoreTarget {
  /** Null for an inline connection. */
  database: Database | null;
  connection: Connection;
  /** The database on it that is meant unless another is named: the registered one, or the one in an inline connection. */
  ownName: string | undefined;
}

/** Knows the server that a restore goes to: chooses it from a request, keeps it in the row, and opens it for the runner. */
@Injectable()
export class RestoreTargets {
  constructor(
    private readonly catalog: Catalog,
    private readonly connections: ConnectionOpener,
    private readonly box: SecretBox,
    private readonly engines: EngineRegistry,
  ) {}

  /**
   * @throws RestoreTargetMissingError when the backup's own database is registered no more and nothing else is named
   * @throws RestoreTargetAmbiguousError, RestoreEngineMismatchError, `database-not-found`, and what is wrong with a connection
   */
  async choose(request: TargetRequest, backup: Backup, engine: Engine): Promise<RestoreTarget> {
    if (request.connection !== undefined) {
      if (request.database !== undefined) throw new RestoreTargetAmbiguousError();
      return { database: null, ...readInline(request.connection, engine, backup.databaseName) };
    }
    const idOrName = request.database ?? backup.databaseId;
    if (idOrName === null) {
      throw new RestoreTargetMissingError(
        `the database "${backup.databaseName}" of this backup is registered no more; ` +
          'give target.database_id of another one, or target.connection',
      );
    }
    const database = await requireDatabase(this.catalog.read, idOrName);
    if (database.engine !== backup.engine) {
      throw new RestoreEngineMismatchError(backup.engine, database.engine);
    }
    return { database, connection: this.connections.open(database), ownName: database.databaseName };
  }

  /** The form in which an inline connection lies in its row. */
  seal(restoreId: string, connection: Connection): string {
    return this.box.seal(JSON.stringify(connection), placeOf(restoreId));
  }

  /**
   * Opens the connection of a restore's row. A registered database's credentials are read anew, as they may have changed; the
   * server stays the one that the restore was asked for, where it may have left something.
   * @throws RestoreTargetMissingError when the registered database was deleted meanwhile
   */
  async open(restore: Restore): Promise<Connection> {
    if (restore.connectionSealed !== null) {
      return readSealed(this.box.open(restore.connectionSealed, placeOf(restore.id)));
    }
    const database =
      restore.targetDatabaseId === null
        ? null
        : await this.catalog.read.findOneBy(Database, { id: restore.targetDatabaseId });
    if (database === null)
      throw new RestoreTargetMissingError('the registered database was deleted meanwhile');
    return atServer(this.connections.open(database), restore, this.engines.get(restore.engine).traits);
  }
}

/** The credentials of `connection`, and the server that the restore was asked for. */
function atServer(
  connection: Connection,
  { targetHost: host, targetPort: port }: Restore,
  { connectionParameters }: EngineTraits,
): Connection {
  if (connection.host === host && connection.port === port) return connection;
  const parameters = withoutAddress(connection.parameters ?? {}, connectionParameters);
  return { ...connection, host, port, parameters };
}

function placeOf(restoreId: string): SecretPlace {
  return { purpose: 'restore.connection', recordId: restoreId };
}

/** What `seal` has written; the box has made sure that nobody else did. */
function readSealed(text: string): Connection {
  const connection: unknown = JSON.parse(text);
  if (!isConnection(connection)) throw new Error('a sealed connection is not a connection');
  return connection;
}

function isConnection(value: unknown): value is Connection {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value && 'tls' in value;
}

/** Any name will do to connect to: an engine uses a database that is always there when it does not exist. */
function readInline(
  inline: InlineConnection,
  engine: Engine,
  anyName: string,
): Pick<RestoreTarget, 'connection' | 'ownName'> {
  const given = readConnection({ ...inline.fields, tlsMode: inline.tls.mode ?? undefined }, engine);
  if (given.host === undefined) throw new ConnectionIncompleteError(['host']);
  const tls = mergeTls(DEFAULT_TLS, () => undefined, {
    ...inline.tls,
    mode: given.tlsMode ?? inline.tls.mode,
  });
  checkTls(tls);
  const connection: Connection = {
    host: given.host,
    port: given.port ?? engine.traits.defaultPort,
    databaseName: given.databaseName ?? anyName,
    ...(typeof given.username === 'string' && { username: given.username }),
    ...(typeof given.password === 'string' && { password: given.password }),
    tls,
    parameters: mergeParameters({}, given.parameters),
  };
  return { connection, ownName: given.databaseName ?? undefined };
}
