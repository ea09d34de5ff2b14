import type { AuthMechanism, MongoClientOptions, ReadPreferenceMode } from 'mongodb';

import type { Connection } from '../engine.js';
import { addressesOf, CONNECT_TIMEOUT_MS } from './mongo-reach.js';

/** Where a server is and how it is reached, as a URI without user and password. `parameters` go into its query. */
export function uriOf(connection: Connection, parameters: Readonly<Record<string, string>> = {}): string {
  const isSrv = connection.parameters?.['srv'] === 'true';
  const hosts = isSrv
    ? connection.host
    : addressesOf(connection)
        .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`)
        .join(',');
  const query = new URLSearchParams(parameters).toString().replaceAll('+', '%20');
  return `mongodb${isSrv ? '+srv' : ''}://${hosts}/${query === '' ? '' : `?${query}`}`;
}

/**
 * Whether exactly the named server is meant. One host without the name of a replica set is: the members of a set know one
 * another by names that need not lead there from here.
 */
export function isDirect({ parameters = {} }: Pick<Connection, 'parameters'>): boolean {
  const given = parameters['directConnection'];
  if (given !== undefined) return given === 'true';
  return (
    parameters['replicaSet'] === undefined &&
    parameters['seeds'] === undefined &&
    parameters['srv'] !== 'true'
  );
}

/** The same connection, where what was just written is read, whatever its read preference. */
export function fromPrimary(connection: Connection): Connection {
  const { readPreference: _, ...parameters } = connection.parameters ?? {};
  return { ...connection, parameters };
}

/** Database that knows the user. */
export function authSourceOf({ parameters }: Pick<Connection, 'parameters'>): string {
  return parameters?.['authMechanism'] === 'MONGODB-X509'
    ? '$external'
    : (parameters?.['authSource'] ?? 'admin');
}

/** Options of the driver for a connection. `usesTls` is decided already: the driver has no mode `prefer`. */
export function clientOptions(
  connection: Connection,
  applicationName: string,
  usesTls: boolean,
): MongoClientOptions {
  const { parameters = {}, username, password } = connection;
  const isX509 = parameters['authMechanism'] === 'MONGODB-X509';
  return {
    appName: applicationName,
    directConnection: isDirect(connection),
    ...(username !== undefined && !isX509 && { auth: { username, password: password ?? '' } }),
    ...((username !== undefined || isX509) && { authSource: authSourceOf(connection) }),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the traits' rule lets nothing else pass
    ...(parameters['authMechanism'] && { authMechanism: parameters['authMechanism'] as AuthMechanism }),
    ...(parameters['replicaSet'] && !isDirect(connection) && { replicaSet: parameters['replicaSet'] }),
    ...(parameters['readPreference'] && {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the traits' rule lets nothing else pass
      readPreference: parameters['readPreference'] as ReadPreferenceMode,
    }),
    tls: usesTls,
    ...(usesTls && tlsOptions(connection)),
    serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    // A dump must not outlive a dead network: the kernel notices within minutes, and the caller's stall guard before.
    socketTimeoutMS: 0,
  };
}

function tlsOptions({ tls }: Connection): MongoClientOptions {
  const verifies = tls.mode === 'verify-ca' || tls.mode === 'verify-full';
  return {
    rejectUnauthorized: verifies,
    ...(verifies && tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
    // verify-ca asks who signed the certificate, not for which name.
    ...(tls.mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}
