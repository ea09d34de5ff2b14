import { EngineError, type ServerAddress } from '../engines.errors.js';

/** The user and password are good, and belong to another database than the one that was asked. */
export class AuthSourceWrongError extends EngineError {
  constructor(at: ServerAddress, username: string | undefined, given: string, right: string) {
    super({
      code: 'auth-source-wrong',
      kind: 'unprocessable',
      detail: `${at.host}:${at.port} knows the user "${username ?? ''}" in database "${right}", not in "${given}": set the parameter authSource`,
      facts: { host: at.host, port: at.port, username, auth_source: given, right_auth_source: right },
    });
  }
}

/** What answers is not a member of the replica set that the connection names. */
export class ReplicaSetMismatchError extends EngineError {
  constructor(at: ServerAddress, replicaSet: string) {
    super({
      code: 'replica-set-mismatch',
      kind: 'unprocessable',
      detail: `${at.host}:${at.port} answers, but is no member of a replica set "${replicaSet}"`,
      facts: { host: at.host, port: at.port, replica_set: replicaSet },
    });
  }
}

/** The replica set was found, but none of its members can be read from as it was asked for. */
export class ReplicaSetUnreachableError extends EngineError {
  constructor(at: ServerAddress, members: readonly string[], reason: string) {
    super({
      code: 'replica-set-unreachable',
      kind: 'unavailable',
      retryable: true,
      detail: `no member of the replica set can be used (${members.join(', ')}): ${reason}`,
      facts: { host: at.host, port: at.port, members },
    });
  }
}

/** A restore met a document that is there already: the target was not empty, or somebody writes to it. */
export class DuplicateKeyError extends EngineError {
  constructor(namespace: string, reason: string) {
    super({
      code: 'duplicate-key',
      kind: 'unprocessable',
      detail: `a document or index of ${namespace} collides with one that is there already: ${reason}`,
      facts: { namespace },
    });
  }
}

/** The server refused documents of an archive. */
export class DocumentsRefusedError extends EngineError {
  constructor(namespace: string, count: number, reason: string) {
    super({
      code: 'documents-refused',
      kind: 'unprocessable',
      detail: `the server refused ${count} document(s) of ${namespace}: ${reason}`,
      facts: { namespace, count },
    });
  }
}

/** The server takes no collection or database of this name: one with `$` in it, or one that is too long for it. */
export class NameRefusedError extends EngineError {
  constructor(reason: string, cause: unknown) {
    super({
      code: 'name-refused',
      kind: 'unprocessable',
      detail: `the server refuses a name: ${reason}`,
      cause,
    });
  }
}

/** The server cannot rename a database, not even collection by collection. */
export class SwapUnsupportedError extends EngineError {
  constructor(at: ServerAddress, reason: string) {
    super({
      code: 'swap-unsupported',
      kind: 'unprocessable',
      detail: `${at.host}:${at.port} cannot put a restored database in the place of another: ${reason}; restore into a new one`,
      facts: { host: at.host, port: at.port },
    });
  }
}

/** `mongodump` was asked for by name, and cannot do what else was asked. */
export class ToolUnfitError extends EngineError {
  constructor(tool: string, reason: string) {
    super({
      code: 'tool-unfit',
      kind: 'unprocessable',
      detail: `${tool} cannot do this: ${reason}; leave the choice of the tool to auto`,
      facts: { tool },
    });
  }
}

/** A scope includes collections that are not there. */
export class CollectionsUnknownError extends EngineError {
  constructor(unknown: readonly string[]) {
    super({
      code: 'collections-unknown',
      kind: 'unprocessable',
      detail: `not on the server: ${unknown.slice(0, 20).join(', ')}; correct the option include_tables`,
      facts: { unknown: unknown.slice(0, 100) },
    });
  }
}

/** An archive of several databases can be loaded one database at a time. */
export class SeveralDatabasesError extends EngineError {
  constructor(databases: readonly string[]) {
    super({
      code: 'several-databases',
      kind: 'unprocessable',
      detail: `the archive holds several databases (${databases.slice(0, 20).join(', ')}), and one database is to be made of it: choose collections of one of them`,
      facts: { databases: databases.slice(0, 100) },
    });
  }
}
