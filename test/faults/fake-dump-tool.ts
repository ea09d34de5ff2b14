import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Ways in which a tool ends without having made a good dump. Each comes after a beginning of the right bytes, which may be
 * none of them or all.
 */
export const BAD_ENDS = [
  'exits 3',
  'is killed',
  'closes its output early and exits 3',
  'closes its output early and hangs',
  'hangs',
  // Says that all is well after a part of the bytes.
  'exits 0 too early',
] as const;
export type BadEnd = (typeof BAD_ENDS)[number];

/** How the next dump of a database ends. `whole` is the control: the right bytes, all of them, and exit code 0. */
export interface Ending {
  way: BadEnd | 'whole';
  bytes: number;
}

/** It stands in for `pg_dump` where the service looks first, and writes what the true one wrote before. */
export interface FakeDumpTool extends AsyncDisposable {
  /** For PG_BIN_DIRS. */
  folder: string;
  /** How it ends for a database from now on. */
  next(databaseName: string, ending: Ending): Promise<void>;
}

/** The first argument is `--dbname=dbname='NAME' …`: by the name it finds the file that says how it is to end. */
const SCRIPT = `#!/bin/sh
here=\${0%/*}
case "$1" in --version) echo "pg_dump (PostgreSQL) VERSION"; exit 0;; esac
name=\${1#*dbname=dbname=?}; name=\${name%%\\'*}
read -r bytes way < "$here/$name.ending"
head -c "$bytes" "$here/dump"
case "$way" in
  'exits 3') exit 3;;
  'is killed') kill -9 $$;;
  'closes its output early and exits 3') exec >&-; exit 3;;
  'closes its output early and hangs') exec >&-; exec sleep 300;;
  'hangs') exec sleep 300;;
esac
exit 0
`;

/**
 * @param dump what the true tool wrote for a database with the same content
 * @param major the version that it says
 */
export async function fakeDumpTool(dump: Buffer, major: number): Promise<FakeDumpTool> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-fake-'));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'dump'), dump);
  const tool = join(folder, 'pg_dump');
  await writeFile(tool, SCRIPT.replace('VERSION', `${major}.0`));
  await chmod(tool, 0o755);
  return {
    folder,
    next: (name, { way, bytes }) => writeFile(join(folder, `${name}.ending`), `${bytes} ${way}\n`),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
