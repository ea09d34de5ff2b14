import { TLS_MODES, type TlsChoice, type UriParts } from '../engine.js';
import { UriInvalidError, UriParameterUnknownError } from '../engines.errors.js';

const PARAMETERS = ['sslmode'] as const;

/**
 * RFC 3986 as libpq reads it, strictly. Not the `URL` class: it removes line ends, resolves `..` in the path (which is
 * the database's name here), and its error carries the whole input, password included.
 */
const POSTGRES_URI =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<host>\[[^\]@/?#]*\]|[^:@/?#[\]]*)(?::(?<port>\d*))?(?:\/(?<name>[^?#@]*))?(?:\?(?<query>[^#]*))?$/i;

/**
 * Takes a PostgreSQL connection URI apart: `postgres://user:password@host:5432/name?sslmode=require`. Whether the parts
 * are good ones is for the rules to say.
 *
 * @throws UriInvalidError when it is no such URI.
 * @throws UriParameterUnknownError for a parameter that would not be obeyed.
 */
export function parsePostgresUri(uri: string): UriParts {
  const groups = POSTGRES_URI.exec(uri)?.groups;
  if (!groups) {
    throw new UriInvalidError(
      'must look like postgres://user:password@host:5432/name; inside the user, the password and the name, each of ' +
        ': @ / ? # % [ ] is written as % and its hexadecimal code',
    );
  }
  const parts: UriParts = {};
  if (groups['host']) parts.host = decode(groups['host']);
  if (groups['port']) parts.port = Number(groups['port']);
  if (groups['name']) parts.databaseName = decode(groups['name']);
  if (groups['user']) parts.username = decode(groups['user']);
  if (groups['password']) parts.password = decode(groups['password']);
  const tlsMode = readParameters(groups['query'] ?? '').get('sslmode');
  if (tlsMode !== undefined) parts.tlsMode = asTlsMode(tlsMode);
  return parts;
}

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = pair.split('=');
    const parameter = decode(name);
    if (!PARAMETERS.some((known) => known === parameter)) {
      throw new UriParameterUnknownError(parameter, PARAMETERS);
    }
    if (parameters.has(parameter)) throw new UriInvalidError(`has the parameter ${parameter} twice`);
    parameters.set(parameter, decode(value.join('=')));
  }
  return parameters;
}

function asTlsMode(text: string): TlsChoice['mode'] {
  const mode = TLS_MODES.find((known) => known === text);
  if (mode === undefined) throw new UriInvalidError(`has an sslmode that is none of ${TLS_MODES.join(', ')}`);
  return mode;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The cause would repeat the text, which may be a password.
    throw new UriInvalidError('has a % that is not followed by the hexadecimal code of a character in UTF-8');
  }
}
