import type { Command } from '../../process/command.js';
import type { ToolAccess } from './tool-access.js';

/** A tool and what it needs to reach the server. */
export interface ToolCall {
  file: string;
  access: Pick<ToolAccess, 'configFile' | 'secrets' | 'folder'>;
}

/** Collections that are read or loaded at once: the tools' own default. */
export const COLLECTIONS_AT_ONCE = 4;

export interface DumpArguments {
  /** Empty: every database. */
  databaseName: string;
  /** Collections of that database to leave out. */
  exclude: readonly string[];
  /** Adds what was written meanwhile, for one moment of all collections. */
  oplog: boolean;
  usersAndRoles: boolean;
}

/** `mongodump` of a database or a server to stdout. Never with `--gzip`: the archive is compressed as a whole. */
export function mongodump(call: ToolCall, what: DumpArguments): Command {
  const isWhole = what.databaseName === '';
  return command(call, [
    '--archive',
    `--numParallelCollections=${COLLECTIONS_AT_ONCE}`,
    ...(isWhole ? [] : [`--db=${what.databaseName}`]),
    ...(what.oplog ? ['--oplog'] : []),
    ...(what.usersAndRoles && !isWhole ? ['--dumpDbUsersAndRoles'] : []),
    ...what.exclude.map((collection) => `--excludeCollection=${collection}`),
  ]);
}

export interface RestoreArguments {
  /** The database in the archive, and the one on the server. */
  from: string;
  to: string;
  /** Collections of it; absent: all. */
  collections?: readonly string[];
  jobs: number;
}

/**
 * `mongorestore` of one database from stdin into another. The first refused document ends it; documents that a validator would
 * refuse today were there, and come back.
 */
export function mongorestore(call: ToolCall, what: RestoreArguments): Command {
  const names = what.collections ?? ['*'];
  const included = names.map((name) => `${escaped(what.from)}.${name === '*' ? name : escaped(name)}`);
  return command(call, [
    '--archive',
    ...included.map((pattern) => `--nsInclude=${pattern}`),
    // What lies between two dollar signs stands for any text, and is put in its place in the other name.
    `--nsFrom=${escaped(what.from)}.$collection$`,
    `--nsTo=${escaped(what.to)}.$collection$`,
    '--stopOnError',
    '--bypassDocumentValidation',
    `--numParallelCollections=${Math.max(what.jobs, 1)}`,
  ]);
}

/** A name in a pattern of namespaces, where asterisks, dollar signs and backslashes mean themselves. */
export function escaped(name: string): string {
  return name.replace(/[\\*$]/g, String.raw`\$&`);
}

/** What `mongorestore` says in the end when documents were refused, whatever its exit code is. */
export function failedDocuments(stderr: string): number {
  const counts = [...stderr.matchAll(/(\d+) document\(s\) failed to restore/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The namespace that a line of `mongodump` or `mongorestore` says to be finished; otherwise `undefined`. Newer tools quote it. */
export function finishedNamespace(line: string): string | undefined {
  return /\t(?:done dumping|finished restoring) (`?)(?<name>.+)\1 \(\d+ documents?/.exec(line)?.groups?.[
    'name'
  ];
}

function command({ file, access }: ToolCall, args: readonly string[]): Command {
  return {
    file,
    args: [`--config=${access.configFile}`, ...args],
    env: { HOME: access.folder },
    secrets: access.secrets,
  };
}
