import type { Command } from '../../process/command.js';
import type { ToolAccess } from './tool-access.js';

/** Notices a dead network within about a minute, also while the server is busy and silent. */
const KEEPALIVES = 'keepalives_idle=30 keepalives_interval=10 keepalives_count=3';

/**
 * How long pg_dump waits for its locks. Our own session has them already, so that it waits only for somebody who waits for us
 * (`TRUNCATE`): each for the other, for ever. See docs/decisions/0015.
 */
const LOCK_WAIT_MS = 5_000;

/** A tool and what it needs to reach the server. */
export interface ToolCall {
  file: string;
  access: Pick<ToolAccess, 'env' | 'secrets'>;
}

/**
 * A connection string that names a database, and nothing else: server, user and secrets are in the environment. As one
 * argument `--dbname=…` it takes any name, also one that begins with a dash or looks like a connection string itself.
 */
export function databaseArgument(name: string): string {
  return `--dbname=dbname='${name.replace(/[\\']/g, '\\$&')}' ${KEEPALIVES}`;
}

/**
 * A pattern of pg_dump that means exactly this name. Within double quotes only the quote itself is special, and nothing is
 * folded to lower case.
 */
export function exactPattern(...names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}

export interface DumpArguments {
  databaseName: string;
  snapshot: string;
  format: 'custom' | 'plain';
  schemas: readonly string[];
  /** Extensions to keep when only some schemas are dumped. */
  extensions: readonly string[];
  excludeTables: readonly { schema: string; name: string }[];
}

/** `pg_dump` of one database in a given snapshot to stdout, uncompressed. */
export function pgDump(call: ToolCall, what: DumpArguments): Command {
  const format = what.format === 'custom' ? ['--format=custom', '--compress=0'] : ['--format=plain'];
  return command(call, [
    databaseArgument(what.databaseName),
    ...format,
    ...(what.format === 'plain' ? ['--no-owner', '--no-privileges'] : []),
    `--snapshot=${what.snapshot}`,
    `--lock-wait-timeout=${LOCK_WAIT_MS}`,
    '--no-password',
    '--verbose',
    // Without it pg_dump leaves out a schema that is not there, in silence, as long as another one of the list is.
    ...(what.schemas.length > 0 ? ['--strict-names'] : []),
    ...what.schemas.map((schema) => `--schema=${exactPattern(schema)}`),
    ...what.extensions.map((extension) => `--extension=${exactPattern(extension)}`),
    ...what.excludeTables.map((table) => `--exclude-table=${exactPattern(table.schema, table.name)}`),
  ]);
}

/** `pg_dumpall` of the server's roles and tablespaces, without password hashes. */
export function pgDumpGlobals(call: ToolCall, databaseName: string): Command {
  return command(call, [
    databaseArgument(databaseName),
    '--globals-only',
    '--no-role-passwords',
    '--no-password',
    '--verbose',
  ]);
}

export interface RestoreArguments {
  databaseName: string;
  /** Everything or nothing. Impossible with several jobs, and where errors of an allow-list must be passed over. */
  singleTransaction: boolean;
  exitOnError: boolean;
  jobs: number;
  noOwner: boolean;
  noTablespaces: boolean;
  /** File with the chosen entries of the table of contents; absent: all. */
  listFile?: string;
  /** A staged archive; absent: stdin. */
  archiveFile?: string;
}

/** `pg_restore` of a custom archive into a database. */
export function pgRestore(call: ToolCall, how: RestoreArguments): Command {
  return command(call, [
    databaseArgument(how.databaseName),
    '--format=custom',
    '--no-password',
    '--verbose',
    ...(how.singleTransaction ? ['--single-transaction'] : []),
    ...(how.exitOnError ? ['--exit-on-error'] : []),
    ...(how.jobs > 1 ? [`--jobs=${how.jobs}`] : []),
    ...(how.noOwner ? ['--no-owner'] : []),
    ...(how.noTablespaces ? ['--no-tablespaces'] : []),
    ...(how.listFile === undefined ? [] : [`--use-list=${how.listFile}`]),
    ...(how.archiveFile === undefined ? [] : [how.archiveFile]),
  ]);
}

/**
 * `pg_restore` that reads every byte of an archive and writes the script to nowhere. The list (`--list`) would not do: it
 * says yes to half an archive, because the table of contents comes first.
 */
export function pgRestoreToNowhere(file: string, archiveFile?: string): Command {
  const args = ['--format=custom', '--file=/dev/null'];
  return { file, args: archiveFile === undefined ? args : [...args, archiveFile] };
}

/** `psql` that runs a script from stdin in one transaction and ends at the first error. */
export function psqlScript(call: ToolCall, databaseName: string): Command {
  return command(call, [
    databaseArgument(databaseName),
    '--no-psqlrc',
    '--set=ON_ERROR_STOP=1',
    '--single-transaction',
    '--quiet',
    '--no-password',
    '--file=-',
  ]);
}

function command(call: ToolCall, args: string[]): Command {
  return { file: call.file, args, env: call.access.env, secrets: call.access.secrets };
}
