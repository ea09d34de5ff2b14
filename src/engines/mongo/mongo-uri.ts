import type { TlsChoice, UriParts } from '../engine.js';
import { UriInvalidError, UriParameterUnknownError } from '../engines.errors.js';
import { MONGO_PARAMETERS } from './mongo-traits.js';

/**
 * The manual's "Connection Strings", strictly. Not a library's parser: its errors carry the whole input, password included, and it
 * obeys parameters that are not meant for a backup.
 */
const MONGO_URI =
  /^mongodb(?<srv>\+srv)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^@/?#]+)(?:\/(?<name>[^?#@/]*))?(?:\?(?<query>[^#]*))?$/i;

/** Parameters that are about TLS; they become the connection's TLS mode. */
const TLS_PARAMETERS = [
  'tls',
  'ssl',
  'tlsInsecure',
  'tlsAllowInvalidCertificates',
  'tlsAllowInvalidHostnames',
] as const;
/** What drivers understand and a backup does not need: they are about writing, pools and time limits of applications. */
const IGNORED = [
  'retryWrites',
  'retryReads',
  'w',
  'journal',
  'wtimeoutMS',
  'appName',
  'compressors',
  'maxPoolSize',
  'minPoolSize',
  'maxIdleTimeMS',
  'connectTimeoutMS',
  'socketTimeoutMS',
  'serverSelectionTimeoutMS',
] as const;

const KNOWN: readonly string[] = [
  ...MONGO_PARAMETERS.map(({ name }) => name).filter((name) => name !== 'seeds' && name !== 'srv'),
  ...TLS_PARAMETERS,
  ...IGNORED,
];

/**
 * Takes a MongoDB connection URI apart: `mongodb://user:password@a:27017,b:27017/name?replicaSet=rs0`, or `mongodb+srv://…`.
 * Parameters of pools, timeouts and write concerns of applications are read over.
 *
 * @throws UriInvalidError when it is no such URI.
 * @throws UriParameterUnknownError for a parameter that would not be obeyed.
 */
export function parseMongoUri(uri: string): UriParts {
  const groups = MONGO_URI.exec(uri)?.groups;
  if (!groups) {
    throw new UriInvalidError(
      'must look like mongodb://user:password@host:27017/name; inside the user, the password and the name, each of ' +
        ': @ / ? # % [ ] is written as % and its hexadecimal code',
    );
  }
  const query = readQuery(groups['query'] ?? '');
  const isSrv = groups['srv'] !== undefined;
  const parts: UriParts = { ...readHosts(groups['hosts'] ?? '', isSrv) };
  if (groups['name']) parts.databaseName = decode(groups['name']);
  if (groups['user']) parts.username = decode(groups['user']);
  if (groups['password']) parts.password = decode(groups['password']);
  const tlsMode = tlsModeOf(query, isSrv);
  if (tlsMode !== undefined) parts.tlsMode = tlsMode;
  const parameters = { ...parts.parameters, ...connectionParametersIn(query) };
  // A user is known to the database that the URI names, unless it says otherwise: drivers and tools do it so.
  if (parts.databaseName !== undefined && parts.username !== undefined && !('authSource' in parameters)) {
    Object.assign(parameters, isSrv ? {} : { authSource: parts.databaseName });
  }
  if (Object.keys(parameters).length > 0) parts.parameters = parameters;
  return parts;
}

function readHosts(
  text: string,
  isSrv: boolean,
): Pick<UriParts, 'host' | 'port'> & { parameters?: Record<string, string> } {
  const [first = '', ...others] = text.split(',');
  const match = /^(?<host>\[[^\]]*\]|[^:[\]]+)(?::(?<port>\d+))?$/.exec(first)?.groups;
  if (match?.['host'] === undefined) throw new UriInvalidError('has no host, or one that cannot be read');
  const { host, port } = match;
  if (isSrv) {
    if (others.length > 0 || port !== undefined) {
      throw new UriInvalidError('of mongodb+srv:// has exactly one host, and no port');
    }
    return { host: decode(host), parameters: { srv: 'true' } };
  }
  return {
    host: decode(host),
    ...(port !== undefined && { port: Number(port) }),
    ...(others.length > 0 && { parameters: { seeds: others.map(decode).join(',') } }),
  };
}

function readQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = pair.split('=');
    const given = decode(name);
    // Names in MongoDB's URIs have no case.
    const parameter = KNOWN.find((known) => known.toLowerCase() === given.toLowerCase());
    if (parameter === undefined) throw new UriParameterUnknownError(given, KNOWN);
    if (parameters.has(parameter)) throw new UriInvalidError(`has the parameter ${parameter} twice`);
    parameters.set(parameter, decode(value.join('=')));
  }
  return parameters;
}

function connectionParametersIn(query: ReadonlyMap<string, string>): Record<string, string> {
  const known = MONGO_PARAMETERS.map(({ name }): string => name);
  return Object.fromEntries([...query].filter(([name]) => known.includes(name)));
}

/** `tls=true` checks the certificate and the name, unless the URI takes that away. An SRV URI means TLS. */
function tlsModeOf(query: ReadonlyMap<string, string>, isSrv: boolean): TlsChoice['mode'] | undefined {
  const [tls, ssl] = [flag(query, 'tls'), flag(query, 'ssl')];
  if (tls !== undefined && ssl !== undefined && tls !== ssl) {
    throw new UriInvalidError('says both yes and no to tls and ssl');
  }
  const wanted = tls ?? ssl ?? (isSrv ? true : undefined);
  if (wanted === undefined) return undefined;
  if (!wanted) return 'disable';
  if (flag(query, 'tlsInsecure') || flag(query, 'tlsAllowInvalidCertificates')) return 'require';
  return flag(query, 'tlsAllowInvalidHostnames') ? 'verify-ca' : 'verify-full';
}

function flag(query: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false') {
    throw new UriInvalidError(`has a ${name} that is neither true nor false`);
  }
  return value === 'true';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The cause would repeat the text, which may be a password.
    throw new UriInvalidError('has a % that is not followed by the hexadecimal code of a character in UTF-8');
  }
}
