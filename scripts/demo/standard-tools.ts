import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { pathWithClients, type SampleServer } from './sample-server.ts';

const execute = promisify(execFile);

/** The way back without Backstop, as a person types it, and as the demo carries it out. */
export interface StandardRestore {
  commands: string[];
  /** Programs that this machine lacks; empty when the commands can be carried out here. */
  missing: string[];
  run(signal: AbortSignal): Promise<void>;
}

/** Restores the downloaded `archive` into the empty `database` by `zstd` and `pg_restore` alone. */
export async function standardRestore(
  server: SampleServer,
  archive: string,
  database: string,
): Promise<StandardRestore> {
  const path = pathWithClients(server);
  const plain = archive.replace(/\.zst$/, '');
  const decompress = ['zstd', '-d', archive];
  const restore = ['pg_restore', '--exit-on-error', '-d', database, plain];
  const connection = {
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: server.username,
    PGPASSWORD: server.password,
  };
  const programs = [decompress, restore];
  const missing: string[] = [];
  for (const [program = ''] of programs) if (!(await isOnPath(program, path))) missing.push(program);
  return {
    commands: programs.map((words) => words.map(short).join(' ')),
    missing,
    run: async (signal) => {
      for (const [program = '', ...args] of programs) {
        await execute(program, args, { signal, env: { ...process.env, ...connection, PATH: path } });
      }
    },
  };
}

/** Without the folder: that is where the reader will be. */
function short(word: string): string {
  return word.startsWith('/') ? word.slice(word.lastIndexOf('/') + 1) : word;
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
