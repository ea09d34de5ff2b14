import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import type { ContentFacts } from '../../src/engines/content-facts.ts';
import type { Connection, DumpFormat, DumpScope, Engine, EngineCall } from '../../src/engines/engine.ts';
import { until } from '../support/until.ts';

/** A database of a test's own on the server under test. */
export interface TestDatabase extends AsyncDisposable {
  connection: Connection;
}

/** Something that must fail, and how. */
export interface ProvokedFailure {
  /** Completes "names …". */
  name: string;
  code: string;
  retryable: boolean;
  /** Makes the engine fail; what it throws is judged. */
  provoke(call: EngineCall): Promise<unknown>;
}

/** An engine, a real server for it, and what a test must be able to do behind its back. */
export interface EngineUnderTest {
  engine: Engine;
  /** Folder in which the engine makes its private files. */
  filesFolder: string;
  /** Rows (documents) of each item of the sample. */
  sampleItems: Readonly<Record<string, number>>;
  /** A database with everything that a dump may stumble over. Read only. */
  sample(): Promise<Connection>;
  /** A database whose dump takes a second or more and many megabytes. Read only. */
  bulky(): Promise<Connection>;
  empty(): Promise<TestDatabase>;
  /** Sessions of the engine on the server, in any database. */
  sessions(): Promise<number>;
  /** Ends, on the server, what is dumping now. */
  killOnServer(): Promise<void>;
  /** Kills, on this machine, what is dumping now: the tool, or the connection where the engine itself is the tool. */
  killTool(): Promise<void>;
  /** What can be in pipes, sockets and buffers when nobody reads: far less than the bulky database. */
  mostBufferedBytes: number;
  /** Bytes that what is dumping now has produced so far. */
  bytesProduced(): Promise<number>;
  /** Writes to a database without pause until told to stop; gives how many rows it wrote. */
  startWriter(connection: Connection): Promise<{ stop(): Promise<number> }>;
  failures: readonly ProvokedFailure[];
}

/** A call that nobody aborts, and what it said. */
export function plainCall(
  signal: AbortSignal = new AbortController().signal,
): EngineCall & { lines: string[] } {
  const lines: string[] = [];
  return { signal, lines, onLog: (line) => lines.push(line) };
}

/** A whole dump in memory, with its facts. */
export async function dumped(
  engine: Engine,
  connection: Connection,
  scope: DumpScope = {},
): Promise<{ bytes: Buffer; content: ContentFacts; format: DumpFormat }> {
  const dump = await engine.dump(connection, scope, plainCall());
  const chunks: Buffer[] = [];
  for await (const chunk of dump.bytes as AsyncIterable<Buffer>) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), content: await dump.content, format: dump.format };
}

/** A stream of these bytes in pieces, as they come from a storage. */
export function piecesOf(bytes: Buffer, pieceBytes = 50_000): Readable {
  function* pieces(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  return Readable.from(pieces(), { objectMode: false });
}

/** Facts without what may differ between a database and its restored copy. */
export function comparable({ items, counters, schema }: ContentFacts): unknown {
  return { items: items.map((item) => ({ ...item, bytes: 0 })), counters, schema };
}

/** Processes that this test's process started and that still live. */
export async function childProcesses(): Promise<{ pid: number; commandLine: string }[]> {
  const children: { pid: number; commandLine: string }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const found = await childOfOurs(Number(entry));
    if (found !== undefined) children.push(found);
  }
  return children;
}

async function childOfOurs(pid: number): Promise<{ pid: number; commandLine: string } | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || Number(parent) !== process.pid) return undefined;
    return { pid, commandLine: await readFile(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return undefined; // gone meanwhile
  }
}

/** Kills the tools that an engine started. */
export async function killChildren(): Promise<void> {
  for (const { pid } of await childProcesses()) process.kill(pid, 'SIGKILL');
}

/** Bytes that the tools of an engine wrote, as the kernel counts them; a process that is gone counts nothing. */
export async function writtenByChildren(): Promise<number> {
  let sum = 0;
  for (const { pid } of await childProcesses()) {
    const io = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
    sum += Number(/^wchar: (\d+)$/m.exec(io)?.[1] ?? 0);
  }
  return sum;
}

/** The command lines of all that this process started, and of what those started; anybody on the machine may read them. */
export async function ourCommandLines(): Promise<string> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    const status = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '') : '';
    // The second field, in parentheses, is a name that may hold anything.
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    if (status !== '') parents.set(Number(entry), parent);
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isOurs(parents.get(pid)));
  const ours = [...parents.keys()].filter((pid) => pid !== process.pid && isOurs(pid));
  const lines = ours.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).join('\n');
}

/** Files and folders below a folder, with their permission bits. */
export async function filesBelow(folder: string): Promise<{ path: string; mode: number; text: string }[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files: { path: string; mode: number; text: string }[] = [];
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await stat(path);
    files.push({ path, mode: mode & 0o777, text: entry.isFile() ? await readFile(path, 'latin1') : '' });
  }
  return files;
}

/** Waits until nothing of the engine is left: no process, no session on the server, no file. 5 s are promised. */
export async function nothingLeft({ sessions, filesFolder }: EngineUnderTest): Promise<void> {
  await until('the end of all processes', async () => (await childProcesses()).length === 0, 5000);
  await until('the end of all sessions', async () => (await sessions()) === 0, 5000);
  await until('the removal of all files', async () => (await filesBelow(filesFolder)).length === 0, 5000);
}
