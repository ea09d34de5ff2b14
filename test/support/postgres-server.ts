/** The majors that tests run on, oldest first. */
export const POSTGRES_MAJORS = [15, 17, 18] as const;

/** What a server of this run was made from. */
export type ServerOrigin = 'official image' | 'stand-in image' | 'local binaries';

/** A running PostgreSQL server that tests may use as its superuser. JSON-safe. */
export interface PostgresServer {
  major: number;
  host: string;
  port: number;
  username: string;
  password: string;
  how: ServerOrigin;
  /** Folders of client tools on this machine, one for each major that is here, for PG_BIN_DIRS. The same for each server. */
  clientBinDirs: string[];
}

/** Account of every test server's superuser. The server listens where only this machine reaches it. */
export const SUPERUSER = { username: 'backstop', password: 'not-a-secret-for-tests' } as const;

/**
 * Settings of a server whose data nobody will miss: nothing waits for the disk. Tests of many files share it, so it takes
 * many connections.
 */
export const SERVER_SETTINGS: readonly string[] = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=300',
  'max_wal_size=4GB',
  'shared_buffers=256MB',
];

/** A server that was started by us, and how it is ended with all that it left. */
export interface StartedServer {
  server: PostgresServer;
  /** What identifies it in a message: `local/postgres:17`, `/usr/lib/postgresql/15/bin`. */
  source: string;
  stop(): Promise<void>;
}
