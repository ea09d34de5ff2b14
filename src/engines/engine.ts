import type { Readable } from 'node:stream';

import type { ContentFacts } from './content-facts.js';

/** Kinds that the API knows. An engine registers itself for exactly one of them. */
export const ENGINE_KINDS = ['postgres', 'mongodb'] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

export const DUMP_FORMATS = ['custom', 'plain', 'archive'] as const;
export type DumpFormat = (typeof DUMP_FORMATS)[number];

/** Where a database is, with secrets opened. Lives only as long as one call; never stored, never logged. */
export interface Connection {
  host: string;
  port: number;
  /** Its name on the server. Empty: every database there, for engines whose traits allow that. */
  databaseName: string;
  username?: string;
  password?: string;
  tls: TlsChoice;
  /** What else an engine needs to connect, by the names in `EngineTraits.connectionParameters`. Never a secret. */
  parameters?: ConnectionParameters;
}

export type ConnectionParameters = Readonly<Record<string, string>>;

/** What a connection URI says; a part that it leaves out is absent. */
export interface UriParts {
  host?: string;
  port?: number;
  databaseName?: string;
  username?: string;
  password?: string;
  tlsMode?: TlsChoice['mode'];
  parameters?: ConnectionParameters;
}

export const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export interface TlsChoice {
  mode: (typeof TLS_MODES)[number];
  /** PEM texts. */
  ca?: string;
  cert?: string;
  key?: string;
}

/** How one call into an engine is watched and ended. */
export interface EngineCall {
  /** Cancel, timeout, stall, lost lease, shutdown. After an abort nothing of the call is left within 5 s. */
  signal: AbortSignal;
  /** One line that the tool printed, scrubbed; for the backup's log. */
  onLog?: (line: string) => void;
  onProgress?: (progress: EngineProgress) => void;
  /**
   * How to show that a call which moves no byte is not dead: `tell` is called at least every `everyMs` milliseconds while the
   * server is seen to be at work for the call. Engines whose trait `showsLife` is set do so.
   */
  life?: { everyMs: number; tell: () => void };
}

export interface EngineProgress {
  /** What is being worked on: a table or collection by name. */
  item?: string;
  itemsDone: number;
  itemsTotal?: number;
  /** From 0 to 1: how much of the content, by its size, is done. Absent where sizes are not known. */
  share?: number;
}

/** What of a database is dumped, and how. Names are unquoted. */
export interface DumpScope {
  format?: DumpFormat;
  /** Only these schemas (PostgreSQL). Empty or absent: all. */
  schemas?: readonly string[];
  /** Only these items, by name. Empty or absent: all. */
  includeTables?: readonly string[];
  /** Names of items left out with their data: `schema.table`, or a collection. */
  excludeTables?: readonly string[];
  /** Which of `EngineTraits.dumpTools` makes the dump. Absent: the first. */
  tool?: string;
  /** Adds a companion with the server's roles. */
  includeRoles?: boolean;
  /** Adds `contentHash` to each item of the facts. Costs about 1 s for 1.5 million rows. */
  hashContent?: boolean;
}

/** An open dump. Whoever receives it must read `bytes` to its end or destroy it; either way every resource goes. */
export interface Dump {
  /** The plain, uncompressed stream. **Ends if and only if the tool exited 0** (E1). */
  bytes: Readable;
  format: DumpFormat;
  /** File name extension of the plain stream without a dot: `dump`, `sql`, `archive`. */
  extension: string;
  tool: ToolFacts;
  server: ServerFacts;
  /**
   * What the dump holds, exactly. Resolves once counted, at the latest soon after `bytes` has ended; rejects when counting
   * failed, and with the same error as `bytes` when the dump failed. It never leaves an unhandled rejection.
   */
  content: Promise<ContentFacts>;
  /** Further streams of the same archive set, opened one after another once `bytes` has ended. */
  companions: readonly DumpCompanion[];
}

export interface DumpCompanion {
  role: 'roles';
  extension: string;
  /** Opens the stream; the rules of `Dump.bytes` hold for it. */
  open(call: EngineCall): Promise<Readable>;
}

export interface ToolFacts {
  name: string;
  version: string;
}

/** Facts about the server at the moment of the dump, kept in the manifest. JSON-safe, without secrets. */
export interface ServerFacts {
  version: string;
  major: number;
  /** Engine-specific: snapshot id, LSN, encoding, collation, owner, time line, oplog time, consistency. */
  details: Record<string, unknown>;
}

export interface ProbeReport {
  server: ServerFacts;
  sizeBytes: number;
  itemCount: number;
  /** The tool that a dump would use now. */
  tool: ToolFacts;
  /** What would fail or be left out, in sentences, each with a code. Empty: a dump should work. */
  warnings: { code: string; detail: string }[];
}

/** Something on this machine that makes dumps or loads them. */
export interface ToolReport extends ToolFacts {
  major: number;
  /** Absent: it is a part of this service. */
  path?: string;
}

/** How an archive is restored. The target database exists and is empty unless `tables` says otherwise. */
export interface RestoreChoice {
  format: DumpFormat;
  /** Only these items (`schema.table`), with what they need. Absent: everything. */
  items?: readonly string[];
  /** Parallel workers of the restoring tool; 1 reads the stream, more stage it in a private temporary file. */
  jobs?: number;
  /** Folder for temporary files of this call; exists, private, on a disk that can hold the plain dump. */
  workDir: string;
}

export interface RestoreOutcome {
  tool: ToolFacts;
  /** Things that were left out on purpose or tolerated by the named allow-list, in sentences. */
  notes: string[];
  /** With a choice of items: those that were restored with their content. More than asked for where a chosen one has parts. */
  items?: readonly string[];
  /** With a choice of items: those that were made without content, because a chosen one needs their definition. */
  emptyItems?: readonly string[];
  /** For an archive of a whole server: what its items are called now that they are in one database. */
  itemNames?: Readonly<Record<string, string>>;
}

/** What a complete read of an archive, without a server, found. */
export interface Inspection {
  /** Items with data in the archive, by name. */
  items: string[];
  plainBytes: number;
}

/** A rule for a text, and its words: they complete the sentence "it …". */
export interface TextRule {
  pattern: RegExp;
  words: string;
}

/** A parameter that a connection of this engine may have, as `parameters` in a request or in the query of a URI. */
export interface ConnectionParameter {
  name: string;
  /** One line for people. */
  description: string;
  rule: TextRule;
  /** It says where the server is, so it goes when another host or port is given without it. */
  isAddress: boolean;
}

/** Facts about an engine that others decide by. */
export interface EngineTraits {
  defaultPort: number;
  /** How a URI for it looks, without a password. */
  uriExample: string;
  connectionParameters: readonly ConnectionParameter[];
  /** Whether a connection may name no database, and mean all of the server's. */
  supportsWholeServer: boolean;
  formats: readonly DumpFormat[];
  defaultFormat: DumpFormat;
  /** Word for one item, singular, for people: `table`, `collection`. */
  itemWord: 'table' | 'collection';
  /** How the name of an item looks, where not every name can be one. */
  itemNameRule?: TextRule;
  supportsRoles: boolean;
  supportsContentHash: boolean;
  supportsSchemas: boolean;
  /** Whether a scope may list the only items that it holds. */
  supportsItemChoice: boolean;
  /** What may be chosen to make dumps; the first is what is used when nothing is chosen. Empty: there is no choice. */
  dumpTools: readonly string[];
  supportsItemRestore: readonly DumpFormat[];
  supportsParallelRestore: readonly DumpFormat[];
  /** Longest database name in bytes. */
  maxDatabaseNameBytes: number;
  /** What else the name of a database must be. */
  databaseNameRule?: TextRule;
  /**
   * How a whole database gets another name. `atomic`: in one step, which costs nothing; a restored database is loaded under a name
   * of its own and then named. `stepwise`: collection by collection, each copied; a restore into a new database is loaded under
   * its final name, and a swap that was cut off is finished by `EngineDatabases.settleSwap`.
   */
  renames: 'atomic' | 'stepwise';
  /** Whether it calls `EngineCall.life`. What does not is never ended for showing no life. */
  showsLife?: boolean;
}

/**
 * An engine knows one kind of database: its tools, flags, versions and ways of failing. It opens or consumes **one byte
 * stream**. It does not know the catalog, HTTP, storage, compression, encryption or schedules. It is a stateless
 * singleton and an injectable; `ENGINES` collects all of them, `EngineRegistry` finds one by kind.
 *
 * Every engine passes `test/contracts/engine.contract.ts` on real servers, which tests these invariants:
 *
 * - **E1** The dump stream ends if and only if the tool exited 0; otherwise it is destroyed with an `EngineError`.
 *   End of stdout is not success.
 * - **E2** Destroying the stream or aborting the signal stops the tool within 5 s and leaves no process, temporary file or
 *   connection behind.
 * - **E3** Memory is bounded: with a reader that does not read, no more than a pipe's buffer flows, or a few batches of an engine
 *   that reads by itself.
 * - **E4** No secret in argv, logs, errors, progress, or any file that others can read.
 * - **E5** `restore` resolves only if the tool exited 0 having read all its input. A truncated or foreign archive is refused;
 *   errors that a tool ignored are failures unless each one is on a named allow-list.
 * - **E6** `inspect` reads to the end: half an archive is refused.
 * - **E7** dump → restore → `measure` equals the dump's `content`.
 * - **E8** Wrong password, unreachable host, missing tool, tool older than the server, missing right, unknown database, full
 *   disk: each its own error code with a right `retryable`.
 * - **E9** Methods run concurrently on one instance.
 */
export abstract class Engine {
  abstract readonly kind: EngineKind;
  abstract readonly traits: EngineTraits;

  /** What can make and load dumps on this machine. The first is what a dump uses when its scope does not say otherwise. */
  abstract tools(): Promise<ToolReport[]>;

  /**
   * Takes a connection URI apart. Whether the parts are good ones is for the rules of `databases` to say.
   * @throws `uri-invalid`, `uri-parameter-unknown`; neither repeats the URI, which may hold a password
   */
  abstract readUri(uri: string): UriParts;

  /**
   * Connects and says what a dump of a scope would meet; absent: of everything. Bounded by a connect timeout of 10 s. Rejects as a dump
   * would, where none can be made at all.
   */
  abstract probe(connection: Connection, call: EngineCall, scope?: DumpScope): Promise<ProbeReport>;

  /** Opens a dump. Resolves when the tool runs and the snapshot is held; see `Dump` for what follows. */
  abstract dump(connection: Connection, scope: DumpScope, call: EngineCall): Promise<Dump>;

  /** Reads an archive's plain bytes to the end without a server; rejects when they are not whole (E6). */
  abstract inspect(bytes: Readable, format: DumpFormat, call: EngineCall): Promise<Inspection>;

  /** Loads an archive's plain bytes into `connection.databaseName` (E5). `bytes` is read to its end or destroyed. */
  abstract restore(
    connection: Connection,
    bytes: Readable,
    choice: RestoreChoice,
    call: EngineCall,
  ): Promise<RestoreOutcome>;

  /** Counts a database as `Dump.content` does, for comparing a restored copy with a manifest (E7). */
  abstract measure(connection: Connection, scope: DumpScope, call: EngineCall): Promise<ContentFacts>;

  /** Whole databases of a server: what a restore into a new database, and a swap, need. */
  abstract readonly databases: EngineDatabases;
}

/** A session of somebody else in a database. */
export interface SessionReport {
  user: string;
  application: string;
  client: string;
  count: number;
}

/**
 * Handling of whole databases on a server. `connection` says server and credentials; its `databaseName` is where the call
 * may connect to (a maintenance database is used where that does not exist). Names are unquoted and any valid name works.
 */
export interface EngineDatabases {
  exists(connection: Connection, name: string, call: EngineCall): Promise<boolean>;

  /**
   * Creates an empty database like the one that a manifest's server describes: encoding, collation. Rejects with
   * `target-database-exists`, `permission-denied` or `server-too-old` (older than the manifest's server) before anything is made.
   */
  create(connection: Connection, name: string, made: NewDatabase, call: EngineCall): Promise<void>;

  /**
   * Drops a database that we made; resolves when it is absent. Ends sessions in it only when told. With `madeBy`, what `create` has
   * not made for that owner, or what has been released since, is somebody else's, and stays.
   */
  drop(connection: Connection, name: string, options: DropOptions, call: EngineCall): Promise<void>;

  /**
   * Takes the owner's mark off a database that is whole: from now on no `drop` with `madeBy` touches it. Any number of times. An engine
   * that renames atomically has none: there a fresh database is never loaded under a name that others can mean.
   */
  release(connection: Connection, name: string, call: EngineCall): Promise<void>;

  /**
   * Gives a database that we made another name, in one step where the traits say `atomic`. Rejects with `target-database-exists` when there is one
   * of that name, and with `database-in-use` when others are connected to it.
   */
  rename(connection: Connection, name: string, newName: string, call: EngineCall): Promise<void>;

  /**
   * Rejects when `swap` cannot be done on this server at all, whatever its databases are; asked before anything is touched.
   * Rejects with `swap-unsupported` or `permission-denied`.
   */
  checkSwap(connection: Connection, name: string, call: EngineCall): Promise<void>;

  /** Other people's sessions in a database. */
  sessions(connection: Connection, name: string, call: EngineCall): Promise<SessionReport[]>;

  /**
   * Puts `fresh` in the place of `live`, which is kept under the name `keepAs`. Where the traits say `atomic`, at every moment
   * either both names are swapped or none is; where they say `stepwise`, others may see some of both in between, and after a
   * crash the rest is done by `settleSwap`. Nothing is lost at any moment. Owner, rights and settings of the database itself go
   * over from `live` to `fresh`. Rejects with `database-in-use` when others are connected to `live` and `endSessions` is false.
   */
  swap(
    connection: Connection,
    names: SwapNames,
    options: { endSessions: boolean },
    call: EngineCall,
  ): Promise<void>;

  /**
   * Tells what became of a swap whose caller died, or of a rename when `keepAs` is null, and finishes it when it had begun. May be
   * called any number of times.
   */
  settleSwap(
    connection: Connection,
    names: Omit<SwapNames, 'keepAs'> & { keepAs: string | null },
    call: EngineCall,
  ): Promise<'swapped' | 'untouched'>;
}

/** How a database is made. */
export interface NewDatabase {
  /** Of the manifest of what is to be loaded. */
  like: ServerFacts;
  /** For whom: one attempt, of all that ever were. */
  owner: string;
}

export interface DropOptions {
  endSessions: boolean;
  /** The owner that `create` was told. */
  madeBy?: string;
}

/** The names in a swap: `fresh` becomes `live`, and `live` becomes `keepAs`. */
export interface SwapNames {
  live: string;
  fresh: string;
  keepAs: string;
}

/** Injection token of the array of all engines. */
export const ENGINES = Symbol('ENGINES');
