import { DatabaseSync } from 'node:sqlite';

/**
 * Writes a history of completed and failed backups, with their copies, into the catalog of a service that does not run: one
 * each ten minutes until now, under names of their own, so that no service takes them for its own work. Those of several databases
 * take turns.
 */
export function fillBackups(catalog: string, rows: number, databaseId: string | readonly string[]): void {
  const owners = [databaseId].flat();
  using database = new DatabaseSync(catalog);
  database.exec('CREATE TEMP TABLE owners (n INTEGER PRIMARY KEY, id TEXT)');
  const owner = database.prepare('INSERT INTO owners VALUES (?, ?)');
  for (const [number, id] of owners.entries()) owner.run(number, id);
  database.exec(`
    CREATE TEMP TABLE history AS
      WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < ${rows})
      SELECT n, printf('0199%04x-%04x-7000-8000-%012x', n >> 16, n & 65535, n) AS id,
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ((${rows} - n) * 10) || ' minutes') AS at,
             n % 20 <> 0 AS good, 'database-' || (n % ${Math.max(40, owners.length)}) AS name,
             (SELECT owners.id FROM owners WHERE owners.n = counter.n % ${owners.length}) AS owner
        FROM counter;
    INSERT INTO backups (id, database_id, database_name, database_host, engine, status, "trigger", description, locked,
        created_at, started_at, completed_at, attempt, cancel_requested, filename, size_bytes, plain_bytes, sha256,
        manifest_sha256, format, compression, tool, server_version, contents, evidence_level, evidence_at, error_code,
        error_detail, error_retryable)
      SELECT id, owner, name, 'db.example.com', 'postgres', iif(good, 'completed', 'failed'), 'manual', NULL, 0,
        at, at, at, 1, 0, iif(good, 'backup_' || name || '_' || n || '.dump.zst', NULL), iif(good, 1000000 + n, NULL),
        iif(good, 4000000 + n, NULL), iif(good, hex(randomblob(32)), NULL), iif(good, hex(randomblob(32)), NULL),
        iif(good, 'custom', NULL), iif(good, 'zstd', NULL), iif(good, 'pg_dump 18.0', NULL), iif(good, '18.0', NULL),
        iif(good, '{"items":12,"rows":48211,"counters":{"sequences":4,"large_objects":0}}', NULL),
        iif(good, n % 5, NULL), iif(good, at, NULL), iif(good, NULL, 'server-unreachable'),
        iif(good, NULL, 'The server did not answer.'), iif(good, NULL, 1)
      FROM history;
    INSERT INTO backup_copies (id, backup_id, attempt, destination, "key", manifest_key, keys, state, created_at)
      SELECT printf('019a%04x-%04x-7000-8000-%012x', n >> 16, n & 65535, n), id, 1, 'local', name || '/' || n,
        name || '/' || n || '.manifest.json', json_array(name || '/' || n), iif(good, 'stored', 'discarded'), at
      FROM history`);
}
