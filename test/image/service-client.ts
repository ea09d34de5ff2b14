/** What these tests read of a database's and a backup's record. */
export interface BackupRecord {
  id: string;
  status: string;
  filename: string;
  size_bytes: number;
  sha256: string;
  server_version: string;
  error?: { code: string; detail: string };
}

/** What they read of a backup's contents. */
export interface BackupContents {
  items: { name: string; rows: number }[];
}

/** Calls a running service as its users do, over HTTP. */
export class ServiceClient {
  constructor(readonly baseUrl: string) {}

  /** Sends JSON and gives the JSON of the answer; throws with the whole answer when it is not a success. */
  async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    const parsed: Body = JSON.parse(text);
    return parsed;
  }

  /** Registers a PostgreSQL database and gives its id. */
  async register(database: Record<string, unknown>): Promise<string> {
    const { id } = await this.call<{ id: string }>('POST', '/databases', { engine: 'postgres', ...database });
    return id;
  }

  /** Makes a backup and gives its record once it is completed. */
  async backUp(databaseId: string): Promise<BackupRecord> {
    const query = 'wait=completed&timeout_seconds=120';
    return await this.call<BackupRecord>('POST', `/backups?${query}`, { database_id: databaseId });
  }
}
