import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { PostgresServer } from '../support/postgres-server.ts';

/**
 * Rows of each table in a custom archive, counted by other means than ours: `pg_restore` prints the archive as SQL, and the
 * lines between `COPY … FROM stdin;` and the line `\\.` are counted. For tables whose names need no quotes.
 */
export async function rowsInArchive(
  server: PostgresServer,
  archive: Buffer,
): Promise<Record<string, number>> {
  const folder = server.clientBinDirs.at(-1) ?? '';
  const child = spawn(join(folder, 'pg_restore'), ['--file=-', '--data-only'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const printed = text(child.stdout);
  child.stdin.end(archive);
  const rows = countedRows(await printed);
  const [code] = await exited;
  if (code !== 0) throw new Error(`pg_restore exited with ${code}`);
  return rows;
}

function countedRows(script: string): Record<string, number> {
  const rows: Record<string, number> = {};
  let table: string | undefined;
  for (const line of script.split('\n')) {
    const begun = /^COPY (\w+\.\w+) .*FROM stdin;$/.exec(line)?.[1];
    if (table === undefined && begun !== undefined) rows[(table = begun)] = 0;
    else if (line === '\\.') table = undefined;
    else if (table !== undefined) rows[table] = (rows[table] ?? 0) + 1;
  }
  return rows;
}
