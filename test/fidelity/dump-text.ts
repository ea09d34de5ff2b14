import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

import type { PostgresServer } from '../support/postgres-server.ts';

const DIFF_LINES = 60;

/**
 * What `pg_dump` says of two databases, compared byte by byte; gives the first lines of `diff`, or an empty text when they are
 * the same. The random word of `\restrict` is the only thing that a dump has of its own; it is taken out.
 * @param flags further arguments of `pg_dump`
 */
export async function differenceOfDumps(
  server: PostgresServer,
  [one, other]: readonly [string, string],
  flags: readonly string[] = [],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-fidelity-'));
  try {
    const files = await Promise.all(
      [one, other].map((database, number) => dumpTo(server, database, join(folder, `${number}.sql`), flags)),
    );
    const script = `for f in "$1" "$2"; do sed -i -E '/^\\\\(un)?restrict /d' "$f"; done; diff --text "$1" "$2" | cut -c 1-300 | head -n ${DIFF_LINES}`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script, 'sh', ...files]);
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function dumpTo(
  server: PostgresServer,
  database: string,
  path: string,
  flags: readonly string[],
): Promise<string> {
  const file = await open(path, 'wx', 0o600);
  try {
    const { host, port, username, password } = server;
    const args = [`--host=${host}`, `--port=${port}`, `--username=${username}`, '--no-password', ...flags];
    const child = spawn(toolFor(server), [...args, database], {
      stdio: ['ignore', file.fd, 'inherit'],
      env: { ...process.env, PGPASSWORD: password },
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`pg_dump of ${database} exited with ${code}`);
    return path;
  } finally {
    await file.close();
  }
}

/** The tool of the server's own major version. */
function toolFor({ major, clientBinDirs }: PostgresServer): string {
  const folder = clientBinDirs.find((path) => path.includes(`/${major}/`));
  if (folder === undefined) throw new Error(`no client tools of PostgreSQL ${major}`);
  return join(folder, 'pg_dump');
}
