import type { ConnectionParameters, Engine, TlsChoice, UriParts } from '../engines/engine.js';
import { checkParameters, type ParameterChanges } from './connection-parameters.js';
import {
  checkCredential,
  checkHost,
  checkPort,
  checkRemoteName,
  checkVariableName,
} from './connection-rules.js';
import { ConnectionAmbiguousError, CredentialsAmbiguousError } from './databases.errors.js';

/** What of an engine decides how it is connected to. */
export type ConnectedEngine = Pick<Engine, 'traits' | 'readUri'>;

/** A connection as somebody describes it, or changes of one: `null` takes away, what is absent stays as it is. */
export interface ConnectionFields {
  uri?: string | null;
  host?: string;
  port?: number;
  databaseName?: string | null;
  username?: string | null;
  usernameVar?: string | null;
  password?: string | null;
  passwordVar?: string | null;
  parameters?: ParameterChanges | null;
  tlsMode?: TlsChoice['mode'];
}

/** The same without the URI: each part said once, and checked. `password` is in clear: seal it and let go of it. */
export type ConnectionChanges = Omit<ConnectionFields, 'uri'>;

/**
 * Brings the fields and the parts of the URI together, and checks each. A part may stand in the URI or in its field.
 *
 * @throws an error of kind `invalid` that says which part is wrong, or is said twice
 */
export function readConnection(fields: ConnectionFields, engine: ConnectedEngine): ConnectionChanges {
  const { uri, ...own } = fields;
  const parts = uri === undefined || uri === null ? {} : engine.readUri(uri);
  checkSaidOnce(own, parts);
  const changes: ConnectionChanges = { ...withoutUndefined(own), ...parts };
  const parameters = { ...own.parameters, ...parts.parameters };
  if (Object.keys(parameters).length > 0) changes.parameters = parameters;
  checkParameters(changes.parameters, engine.traits.connectionParameters);
  if (changes.host !== undefined) changes.host = checkHost(changes.host);
  if (changes.port !== undefined) checkPort(changes.port);
  if (isGiven(changes.databaseName)) checkRemoteName(changes.databaseName, engine.traits);
  checkCredentials(changes);
  return changes;
}

function checkSaidOnce(fields: ConnectionChanges, parts: UriParts): void {
  const twice = (field: keyof ConnectionChanges, part: keyof UriParts): boolean =>
    isGiven(fields[field]) && parts[part] !== undefined;
  if (twice('host', 'host')) throw new ConnectionAmbiguousError('host');
  if (twice('port', 'port')) throw new ConnectionAmbiguousError('port');
  if (twice('databaseName', 'databaseName')) throw new ConnectionAmbiguousError('database_name');
  if (twice('tlsMode', 'tlsMode')) throw new ConnectionAmbiguousError('tls.mode');
  if (twice('username', 'username')) throw new CredentialsAmbiguousError('uri', 'username');
  if (twice('usernameVar', 'username')) throw new CredentialsAmbiguousError('uri', 'username_var');
  if (twice('password', 'password')) throw new CredentialsAmbiguousError('uri', 'password');
  if (twice('passwordVar', 'password')) throw new CredentialsAmbiguousError('uri', 'password_var');
  checkParametersSaidOnce(fields.parameters, parts.parameters);
  if (isGiven(fields.username) && isGiven(fields.usernameVar)) {
    throw new CredentialsAmbiguousError('username', 'username_var');
  }
  if (isGiven(fields.password) && isGiven(fields.passwordVar)) {
    throw new CredentialsAmbiguousError('password', 'password_var');
  }
}

function checkParametersSaidOnce(
  fields: ConnectionChanges['parameters'],
  parts: ConnectionParameters | undefined,
): void {
  const twice = Object.keys(fields ?? {}).find((name) => parts?.[name] !== undefined);
  if (twice !== undefined) throw new ConnectionAmbiguousError(`parameters.${twice}`);
}

function checkCredentials(changes: ConnectionChanges): void {
  if (isGiven(changes.username)) checkCredential('username', changes.username);
  if (isGiven(changes.usernameVar)) checkVariableName('username_var', changes.usernameVar);
  if (isGiven(changes.password)) checkCredential('password', changes.password);
  if (isGiven(changes.passwordVar)) checkVariableName('password_var', changes.passwordVar);
}

function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

/** An absent field must not stand as `undefined` over a part of the URI. */
function withoutUndefined(fields: ConnectionChanges): ConnectionChanges {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
