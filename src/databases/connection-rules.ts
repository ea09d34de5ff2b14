import type { EngineTraits } from '../engines/engine.js';
import {
  CredentialsInvalidError,
  DatabaseNameInvalidError,
  HostInvalidError,
  PortInvalidError,
  RemoteNameInvalidError,
} from './databases.errors.js';

export const NAME = /^[A-Za-z0-9._-]{1,63}$/;
type DatabaseNameTraits = Pick<EngineTraits, 'maxDatabaseNameBytes' | 'databaseNameRule'>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** The longest host name that DNS can carry. */
const MAX_HOST_LENGTH = 253;
const MAX_CREDENTIAL_LENGTH = 1024;

/** Whether a text has the form of an id. No name has. */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** Whether a database could be registered under it. */
export function isName(text: string): boolean {
  return NAME.test(text) && !/^\.+$/.test(text) && !isId(text);
}

/**
 * The name under which a database is registered: part of folder and file names, metric labels and URLs. It cannot look
 * like an id, because both stand in the same place of a URL.
 *
 * @throws DatabaseNameInvalidError
 */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new DatabaseNameInvalidError(
      'must be 1 to 63 letters (A-Z, a-z), digits, dots, underscores or hyphens',
    );
  }
  if (/^\.+$/.test(name)) throw new DatabaseNameInvalidError('cannot be dots only');
  if (isId(name)) throw new DatabaseNameInvalidError('cannot have the form of an id');
}

/**
 * A host name or an IP address; gives it without the brackets of `[::1]`. Everything by which a client library would
 * understand something else than one host is refused: a URI, a port, a list, a socket's path.
 *
 * @throws HostInvalidError
 */
export function checkHost(given: string): string {
  const host = /^\[(.*)\]$/.exec(given)?.[1] ?? given;
  if (host === '') throw new HostInvalidError('must not be empty');
  if (host.length > MAX_HOST_LENGTH)
    throw new HostInvalidError(`is longer than ${MAX_HOST_LENGTH} characters`);
  if (/\p{Cc}/u.test(host)) throw new HostInvalidError('contains a control character');
  if (!host.isWellFormed()) throw new HostInvalidError('contains half a character');
  if (host.includes('://'))
    throw new HostInvalidError('must be a name or an address alone; give a whole URI as uri');
  if (host.includes(',')) throw new HostInvalidError('must be one host, not a list');
  if (host.startsWith('/'))
    throw new HostInvalidError('cannot be the path of a socket; give a name or an address');
  if (/[\s/@?#[\]\\]/.test(host)) {
    throw new HostInvalidError('must be a name or an address alone, without blanks or any of / @ ? # [ ] \\');
  }
  if (/^[^:]*:\d*$/.test(host)) throw new HostInvalidError('must not contain the port; give that as port');
  if (host.startsWith('-')) throw new HostInvalidError('must not begin with a hyphen');
  return host;
}

/** For the API's documentation; `checkPort` decides. */
export const PORT_SCHEMA = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

/** @throws PortInvalidError */
export function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < PORT_SCHEMA.minimum || port > PORT_SCHEMA.maximum)
    throw new PortInvalidError();
}

/**
 * The database's name on its server. As far as the engine has no rule of its own, any character but NUL can be part of one,
 * quotes, blanks and line ends included.
 *
 * @throws RemoteNameInvalidError
 */
export function checkRemoteName(
  name: string,
  { maxDatabaseNameBytes: maxBytes, databaseNameRule: rule }: DatabaseNameTraits,
): void {
  if (name === '') throw new RemoteNameInvalidError('must not be empty');
  if (name.includes('\0')) throw new RemoteNameInvalidError('contains a NUL character');
  if (!name.isWellFormed()) throw new RemoteNameInvalidError('contains half a character');
  const bytes = Buffer.byteLength(name);
  if (bytes > maxBytes) {
    // Servers cut longer names silently, which could mean another database.
    throw new RemoteNameInvalidError(`has ${bytes} bytes, and a name on the server has at most ${maxBytes}`);
  }
  if (rule !== undefined && !rule.pattern.test(name)) throw new RemoteNameInvalidError(rule.words);
}

/** A user name or password as given. @throws CredentialsInvalidError, which does not repeat it */
export function checkCredential(field: 'username' | 'password', value: string): void {
  if (value === '')
    throw new CredentialsInvalidError(field, 'must not be empty; leave it out when there is none');
  if (value.includes('\0')) throw new CredentialsInvalidError(field, 'contains a NUL character');
  if (!value.isWellFormed()) throw new CredentialsInvalidError(field, 'contains half a character');
  if (value.length > MAX_CREDENTIAL_LENGTH) {
    throw new CredentialsInvalidError(field, `is longer than ${MAX_CREDENTIAL_LENGTH} characters`);
  }
}

/** @throws CredentialsInvalidError when `name` cannot be the name of an environment variable */
export function checkVariableName(field: 'username_var' | 'password_var', name: string): void {
  if (VARIABLE.test(name)) return;
  throw new CredentialsInvalidError(
    field,
    'must be the name of an environment variable: letters, digits and underscores, at most 128, not beginning with a digit',
  );
}
