import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { PostgresServer } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

/** The server's own `pg_dump`, which waits before it begins: a test can be quicker than its first lock. */
export interface WaitingPgDump extends AsyncDisposable {
  /** Folder with the tool, for an engine that finds no other. */
  folder: string;
  /** Resolves when the engine has started it. */
  started(): Promise<void>;
  /** Lets it go on. */
  go(): Promise<void>;
}

export async function waitingPgDump({ major, clientBinDirs }: PostgresServer): Promise<WaitingPgDump> {
  const real = clientBinDirs.find((path) => path.includes(`/${major}/`));
  if (real === undefined) throw new Error(`no client tools of PostgreSQL ${major}`);
  const folder = await mkdtemp(join(tmpdir(), 'backstop-waiting-'));
  const script = `#!/bin/sh
[ "$1" = --version ] && exec '${real}/pg_dump' --version
: > '${folder}/started'
while [ ! -e '${folder}/go' ]; do sleep 0.02; done
exec '${real}/pg_dump' "$@"
`;
  await writeFile(join(folder, 'pg_dump'), script, { mode: 0o755 });
  const isStarted = (): Promise<boolean> =>
    access(join(folder, 'started')).then(
      () => true,
      () => false,
    );
  return {
    folder,
    started: async () => {
      await until('the tool to be started', isStarted);
    },
    go: () => writeFile(join(folder, 'go'), ''),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
