import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

import type { Connection } from '../engine.js';

const CONNECT_TIMEOUT_SECONDS = 10;

/** What a client tool needs to reach a server: variables for its environment, and a private folder that they point to. */
export interface ToolAccess {
  env: Readonly<Record<string, string>>;
  /** Texts that must not appear in what the tool says. */
  secrets: readonly string[];
  /** Private (0700), gone after `remove`. */
  folder: string;
  remove(): Promise<void>;
}

/**
 * Lays down credentials for one call of libpq's tools, in a private folder below `workDir`: the password in a password file,
 * certificates and keys as PEM files, all with mode 0600. Arguments are visible to every user of the machine, so nothing
 * secret is ever among them. The caller removes the folder.
 */
export async function openToolAccess(
  connection: Connection,
  workDir: string,
  applicationName: string,
): Promise<ToolAccess> {
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(workDir, 'postgres-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const keep = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
  try {
    const env: Record<string, string> = {
      HOME: folder,
      PGHOST: connection.host,
      PGPORT: String(connection.port),
      PGAPPNAME: applicationName,
      PGCONNECT_TIMEOUT: String(CONNECT_TIMEOUT_SECONDS),
      PGGSSENCMODE: 'disable',
      PGSSLMODE: connection.tls.mode,
      PGPASSFILE: await keep('pgpass', passwordFile(connection)),
      ...(await certificates(connection, keep)),
    };
    if (connection.username !== undefined) env['PGUSER'] = connection.username;
    // A password file has one line for each entry. The environment of a process is for its own user's eyes only.
    if (/[\r\n]/.test(connection.password ?? '')) env['PGPASSWORD'] = connection.password ?? '';
    return { env, secrets: secretsOf(connection), folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Texts of a connection that must never be seen. */
export function secretsOf(connection: Connection): string[] {
  return [connection.password ?? '', connection.tls.key ?? ''].filter((secret) => secret !== '');
}

/**
 * One line of libpq's password file. Host, port and database are wildcards: the file serves one call to one server, and the
 * server may be asked for several databases. A backslash stands before `:` and `\`.
 */
export function passwordFile(connection: Pick<Connection, 'username' | 'password'>): string {
  if (connection.password === undefined || /[\r\n]/.test(connection.password)) return '';
  const username = connection.username === undefined ? '*' : escapeField(connection.username);
  return `*:*:*:${username}:${escapeField(connection.password)}\n`;
}

function escapeField(text: string): string {
  return text.replace(/[\\:]/g, '\\$&');
}

async function certificates(
  connection: Connection,
  keep: (name: string, text: string) => Promise<string>,
): Promise<Record<string, string>> {
  const { mode, ca, cert, key } = connection.tls;
  const env: Record<string, string> = {};
  if (mode === 'disable') return env;
  if (mode === 'verify-ca' || mode === 'verify-full') {
    // Without a CA of their own people mean the public ones, as Node does; libpq would look into the home folder.
    env['PGSSLROOTCERT'] = await keep('root.crt', ca ?? rootCertificates.join('\n'));
  }
  if (cert !== undefined) env['PGSSLCERT'] = await keep('client.crt', cert);
  if (key !== undefined) env['PGSSLKEY'] = await keep('client.key', key);
  return env;
}
