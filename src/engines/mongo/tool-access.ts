import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Connection } from '../engine.js';
import { authSourceOf, isDirect, uriOf } from './mongo-client-options.js';
import { secretsOf } from './mongo-session.js';

/** What a tool needs to reach a server, in files that nobody else can read. */
export interface ToolAccess {
  /** `--config=…`: the URI with user and password, which must not be among the arguments. */
  configFile: string;
  /** Texts that must not appear in what the tool says. */
  secrets: readonly string[];
  /** Private (0700), gone after `remove`. */
  folder: string;
  remove(): Promise<void>;
}

/**
 * Lays down credentials for one call of the MongoDB Database Tools in a private folder below `workDir`: a configuration file with
 * the URI, certificates and key as PEM files, all with mode 0600. The caller removes the folder.
 */
export async function openToolAccess(
  connection: Connection,
  workDir: string,
  how: { applicationName: string; usesTls: boolean },
): Promise<ToolAccess> {
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(workDir, 'mongo-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const keep = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
  try {
    const tls = how.usesTls ? await tlsParameters(connection, keep) : {};
    const uri = toolUri(connection, { appName: how.applicationName, ...tls });
    // JSON is YAML, which is what the tools read.
    const configFile = await keep('config.yaml', `uri: ${JSON.stringify(uri)}\n`);
    return { configFile, secrets: [...secretsOf(connection), uri], folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * What no tool can be told of a connection; undefined: they can be told all of it. They check a certificate with its name, or nothing of
 * it: their driver knows no `tlsAllowInvalidHostnames`.
 */
export function beyondTools({ tls }: Pick<Connection, 'tls'>): string | undefined {
  return tls.mode === 'verify-ca' ? 'it checks the name in a certificate, or nothing of it' : undefined;
}

/** The URI by which a tool reaches the server, password included. */
export function toolUri(connection: Connection, more: Readonly<Record<string, string>> = {}): string {
  const { username, password, parameters = {} } = connection;
  const query: Record<string, string> = { ...more };
  if (isDirect(connection)) query['directConnection'] = 'true';
  else if (parameters['replicaSet'] !== undefined) query['replicaSet'] = parameters['replicaSet'];
  for (const name of ['authMechanism', 'readPreference'] as const) {
    if (parameters[name] !== undefined) query[name] = parameters[name];
  }
  if (username !== undefined) query['authSource'] = authSourceOf(connection);
  const uri = uriOf(connection, query);
  if (username === undefined) return uri;
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  return uri.replace('://', `://${encodeURIComponent(username)}${secret}@`);
}

async function tlsParameters(
  { tls }: Connection,
  keep: (name: string, text: string) => Promise<string>,
): Promise<Record<string, string>> {
  const parameters: Record<string, string> = { tls: 'true' };
  const verifies = tls.mode === 'verify-ca' || tls.mode === 'verify-full';
  if (!verifies) parameters['tlsInsecure'] = 'true';
  if (verifies && tls.ca !== undefined) parameters['tlsCAFile'] = await keep('ca.pem', tls.ca);
  if (tls.cert !== undefined && tls.key !== undefined) {
    parameters['tlsCertificateKeyFile'] = await keep('client.pem', `${tls.cert}\n${tls.key}`);
  }
  return parameters;
}
