import type { ConnectionParameter, ConnectionParameters, Engine, EngineTraits } from '../engines/engine.js';
import { NO_ORIGIN } from '../idempotency/make-once.js';
import {
  type ConnectedEngine,
  type ConnectionChanges,
  type ConnectionFields,
  readConnection,
} from './connection-changes.js';
import { mergeParameters, withoutAddress } from './connection-parameters.js';
import { checkName } from './connection-rules.js';
import { checkOptions, mergeOptions, type OptionChanges } from './database-options.js';
import type { DatabaseSecrets } from './database-secrets.js';
import { Database, type StoredTls } from './database.entity.js';
import { ConnectionIncompleteError, PasswordNeededError } from './databases.errors.js';
import type { DefaultScheduleEdits } from './default-schedules.js';
import { mergeRetention, type RetentionChanges } from './retention-policy.js';
import { checkTls, DEFAULT_TLS, mergeTls, type TlsChanges } from './tls-rules.js';

/** What somebody wants a database to be, or to become. */
export interface DatabaseEdits {
  name?: string | undefined;
  connection: ConnectionFields;
  tls: TlsChanges;
  options: OptionChanges;
  /** Of its policy. */
  retention?: RetentionChanges | undefined;
  /** Of its default schedule, which the scheduler's room keeps. */
  schedule?: DefaultScheduleEdits | undefined;
}

/** A database to register. */
export interface DatabaseRequest extends DatabaseEdits {
  name: string;
  /** Its kind, as the caller wrote it. */
  engine: string;
}

/** A database of which nothing is known yet but its kind. */
export function blankDatabase(id: string, engine: Pick<Engine, 'kind' | 'traits'>, now: Date): Database {
  return Object.assign(new Database(), {
    id,
    name: '',
    engine: engine.kind,
    host: '',
    port: engine.traits.defaultPort,
    databaseName: '',
    username: null,
    usernameVar: null,
    passwordSealed: null,
    passwordVar: null,
    parameters: {},
    tls: DEFAULT_TLS,
    options: {},
    retention: {},
    createdAt: now,
    updatedAt: now,
    ...NO_ORIGIN,
  } satisfies Database);
}

/**
 * Makes the edits in `database`, secrets sealed. All rules are asked before anything is changed.
 *
 * @throws an error of kind `invalid` for the first edit that cannot be
 */
export function editDatabase(
  database: Database,
  edits: DatabaseEdits,
  engine: ConnectedEngine,
  secrets: DatabaseSecrets,
): void {
  const name = edits.name ?? database.name;
  checkName(name);
  const connection = readConnection({ ...edits.connection, tlsMode: edits.tls.mode ?? undefined }, engine);
  checkComplete(database, connection, engine.traits);
  const parameters = editParameters(database, connection, engine.traits);
  checkPasswordGoesAlong(database, { ...connection, parameters }, engine.traits);
  const tls = editTls(database, { ...edits.tls, mode: connection.tlsMode ?? edits.tls.mode }, secrets);
  const options = mergeOptions(database.options, edits.options);
  checkOptions(options, engine.traits);
  const retention = mergeRetention(database.retention, edits.retention ?? {});

  database.name = name;
  database.retention = retention;
  database.parameters = parameters;
  database.host = connection.host ?? database.host;
  database.port = connection.port ?? database.port;
  if (connection.databaseName !== undefined) database.databaseName = connection.databaseName ?? '';
  editCredentials(database, connection, secrets);
  database.tls = tls;
  database.options = options;
}

/**
 * Without changes nothing is opened: a lost key must not stand in the way of a new password. Nor is it sealed anew, which would make
 * other bytes of the same key.
 */
function editTls(database: Database, changes: TlsChanges, secrets: DatabaseSecrets): StoredTls {
  if (!changesTls(database.tls, changes)) return database.tls;
  const tls = mergeTls(database.tls, () => secrets.openTls(database).key, changes);
  checkTls(tls);
  return secrets.sealTls(database.id, tls);
}

function changesTls(tls: StoredTls, { mode, ca, cert, key }: TlsChanges): boolean {
  const changes = (change: string | null | undefined, stored: string | undefined): boolean =>
    change !== undefined && (change ?? undefined) !== stored;
  return (
    changes(mode === null ? DEFAULT_TLS.mode : mode, tls.mode) ||
    changes(ca, tls.ca) ||
    changes(cert, tls.cert) ||
    (key !== undefined && (key !== null || tls.keySealed !== undefined))
  );
}

function editParameters(
  database: Database,
  { host = database.host, port = database.port, parameters }: ConnectionChanges,
  { connectionParameters }: EngineTraits,
): ConnectionParameters {
  const isElsewhere = host !== database.host || port !== database.port;
  const stored = isElsewhere
    ? withoutAddress(database.parameters, connectionParameters)
    : database.parameters;
  return mergeParameters(stored, parameters);
}

/**
 * A sealed password was given for one server. Sent to whichever server a later request names, it could be read there by everybody
 * who may make such a request.
 */
function checkPasswordGoesAlong(
  database: Database,
  changes: ConnectionChanges & { parameters: ConnectionParameters },
  { connectionParameters }: EngineTraits,
): void {
  if (database.passwordSealed === null || changes.password !== undefined || changes.passwordVar) return;
  const { host = database.host, port = database.port, parameters } = changes;
  const isAddress = ({ name, isAddress: isOne }: ConnectionParameter): boolean =>
    isOne && parameters[name] !== database.parameters[name];
  const moved = [
    ...(host === database.host ? [] : ['host']),
    ...(port === database.port ? [] : ['port']),
    ...connectionParameters.filter(isAddress).map(({ name }) => `parameters.${name}`),
  ];
  if (moved.length > 0) throw new PasswordNeededError(moved);
}

function checkComplete(
  database: Database,
  { host = database.host, databaseName = database.databaseName }: ConnectionChanges,
  { supportsWholeServer }: EngineTraits,
): void {
  const missing: string[] = [];
  if (!host) missing.push('host');
  if (!databaseName && !supportsWholeServer) missing.push('database_name');
  if (missing.length > 0) throw new ConnectionIncompleteError(missing);
}

/** A value and a variable's name take each other's place: what is given last counts. */
function editCredentials(database: Database, changes: ConnectionChanges, secrets: DatabaseSecrets): void {
  if (changes.username !== undefined) database.username = changes.username;
  if (changes.usernameVar !== undefined) database.usernameVar = changes.usernameVar;
  if (changes.username) database.usernameVar = null;
  if (changes.usernameVar) database.username = null;

  if (changes.password !== undefined) {
    database.passwordSealed =
      changes.password === null ? null : secrets.sealPassword(database.id, changes.password);
  }
  if (changes.passwordVar !== undefined) database.passwordVar = changes.passwordVar;
  if (changes.password) database.passwordVar = null;
  if (changes.passwordVar) database.passwordSealed = null;
}
