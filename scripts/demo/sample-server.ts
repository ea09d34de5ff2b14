import { delimiter } from 'node:path';

import { type LocalPostgres, startLocalPostgres } from '../setup/local-postgres.mjs';
import { ensurePostgresBinaries } from '../setup/postgres-binaries.mjs';
import { findPostgresClients } from '../setup/postgres-clients.mjs';

/** No secret: the server listens on loopback only, and its data is gone when the demo ends. */
const CREDENTIALS = { username: 'shopkeeper', password: 'only-for-the-demo' };

/** Its data is thrown away, so nothing in it has to survive a power cut. */
const SETTINGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_wal_size=2GB',
  'shared_buffers=128MB',
  'work_mem=64MB',
  'maintenance_work_mem=128MB',
  'jit=off',
];

export interface SampleServer extends LocalPostgres {
  major: number;
  /** Folders with client tools, for the service; the newest first. */
  clientFolders: string[];
  /** The folder with tools of the server's own major. */
  ownClientFolder: string;
}

/**
 * Starts a throw-away PostgreSQL server of the newest major that this machine has client tools for, and can get a server of.
 * Rejects, with the command that helps, where there are no client tools.
 */
export async function startSampleServer(): Promise<SampleServer> {
  const clients = await findPostgresClients();
  const majors = Object.keys(clients)
    .map(Number)
    .sort((a, b) => b - a);
  const reasons: string[] = [];
  for (const major of majors) {
    try {
      const bin = await ensurePostgresBinaries(major);
      const server = await startLocalPostgres({ bin, ...CREDENTIALS, settings: SETTINGS });
      const clientFolders = majors.map((each) => clients[String(each)] ?? '').filter(Boolean);
      return { ...server, major, clientFolders, ownClientFolder: clients[String(major)] ?? '' };
    } catch (error) {
      reasons.push(`PostgreSQL ${major}: ${(error as Error).message}`);
    }
  }
  if (reasons.length === 0)
    reasons.push('no pg_dump was found; "node scripts/setup.mjs demo" says what to install');
  throw new Error(`no sample server could be started\n${reasons.join('\n')}`);
}

/** PATH with the server's own client tools in front. */
export function pathWithClients(server: SampleServer): string {
  return [server.ownClientFolder, process.env['PATH'] ?? ''].join(delimiter);
}
