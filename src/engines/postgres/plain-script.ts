import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import type { EngineCall, Inspection } from '../engine.js';
import { ArchiveForeignError, ArchiveUnreadableError } from '../tools.errors.js';

/** The first lines of a plain dump, in which its versions and settings stand. */
const HEAD_BYTES = 64 * 1024;
/** Longer than the trailer with its blank lines and the line that ends a restriction. */
const TAIL_BYTES = 512;

const BEGINNING = /^--\n-- PostgreSQL database dump\n--\n/;
/** pg_dump writes this last. Whoever has not seen it has half a dump: every line before it is a complete script. */
const TRAILER = /\n--\n-- PostgreSQL database dump complete\n--\n\s*(\\unrestrict \w+\s*)?$/;

/** What the first lines of a plain dump say. */
export interface PlainHead {
  serverMajor: number;
  toolVersion: string;
}

/** A plain dump whose first lines were read. */
export interface PlainScript {
  head: PlainHead;
  first: Buffer;
  rest: AsyncIterator<Buffer, undefined>;
  source: Readable;
}

/** How a script is changed so that a given psql and server can run it. */
export interface ScriptFitting {
  /** The server does not know the setting `transaction_timeout`, which pg_dump 17 and newer turn off. */
  dropTransactionTimeout: boolean;
  /** psql knows `\restrict`: it then refuses every command that reaches out of the database. */
  restrict: boolean;
}

/** Reads the first lines of a plain dump. When it rejects (`archive-foreign`, the stream's own error) the stream is destroyed. */
export async function openPlain(bytes: Readable): Promise<PlainScript> {
  const rest: AsyncIterator<Buffer, undefined> = bytes[Symbol.asyncIterator]();
  try {
    const chunks: Buffer[] = [];
    for (let size = 0; size < HEAD_BYTES;) {
      const next = await rest.next();
      if (next.done === true) break;
      chunks.push(next.value);
      size += next.value.length;
    }
    const first = Buffer.concat(chunks);
    return { head: readHead(first.toString('utf8', 0, HEAD_BYTES)), first, rest, source: bytes };
  } catch (error) {
    bytes.destroy();
    throw error;
  }
}

function readHead(text: string): PlainHead {
  const server = /^-- Dumped from database version (\d+)/m.exec(text)?.[1];
  const tool = /^-- Dumped by pg_dump version (\S+)/m.exec(text)?.[1];
  if (!BEGINNING.test(text) || server === undefined || tool === undefined) {
    throw new ArchiveForeignError('a plain dump of pg_dump', 'its first lines are others');
  }
  return { serverMajor: Number(server), toolVersion: tool };
}

/**
 * The script as it is fed to psql, in the same order and never whole in memory. **Fails instead of ending** when the trailer
 * of pg_dump did not come last: psql would commit half a dump.
 */
export function fittedScript(script: PlainScript, fitting: ScriptFitting): Readable {
  const stream = Readable.from(fit(script, fitting), { objectMode: false });
  stream.once('close', () => script.source.destroy());
  return stream;
}

async function* fit(script: PlainScript, fitting: ScriptFitting): AsyncGenerator<Buffer, void, undefined> {
  const key = randomBytes(16).toString('hex');
  if (fitting.restrict) yield Buffer.from(`\\restrict ${key}\n`);
  let held = fitHead(script.first, fitting);
  for (let next = await script.rest.next(); next.done !== true; next = await script.rest.next()) {
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    if (held.length <= TAIL_BYTES) continue;
    yield held.subarray(0, held.length - TAIL_BYTES);
    held = held.subarray(held.length - TAIL_BYTES);
  }
  const end = held.toString('latin1');
  if (!TRAILER.test(end)) throw new ArchiveUnreadableError('the last line of pg_dump is missing');
  yield Buffer.from(end.replace(/\\unrestrict \w+\s*$/, ''), 'latin1');
  if (fitting.restrict) yield Buffer.from(`\\unrestrict ${key}\n`);
}

/** Changes lines of the head. The dump's own restriction goes: ours covers the whole script. */
function fitHead(first: Buffer, { dropTransactionTimeout }: ScriptFitting): Buffer {
  const head = first.toString('latin1', 0, HEAD_BYTES); // bytes in, the same bytes out, whatever the encoding
  const fitted = head
    .replace(/^\\restrict \w+$/m, '')
    .replace(/^CREATE SCHEMA public;$/m, '') // every new database has it
    .replace(/^SET transaction_timeout = 0;$/m, (line) => (dropTransactionTimeout ? '' : line));
  return Buffer.concat([Buffer.from(fitted, 'latin1'), first.subarray(HEAD_BYTES)]);
}

/** Reads a plain dump to its end; rejects with `archive-foreign` or `archive-unreadable` when it is not a whole one. */
export async function inspectPlain(bytes: Readable, call: EngineCall): Promise<Inspection> {
  const onAbort = (): void => void bytes.destroy();
  call.signal.addEventListener('abort', onAbort, { once: true });
  try {
    call.signal.throwIfAborted();
    return await readWhole(await openPlain(bytes));
  } catch (error) {
    call.signal.throwIfAborted();
    throw error;
  } finally {
    call.signal.removeEventListener('abort', onAbort);
    bytes.destroy();
  }
}

async function readWhole(script: PlainScript): Promise<Inspection> {
  const items = new PlainItems();
  let tail: Buffer = script.first.subarray(-TAIL_BYTES);
  let plainBytes = script.first.length;
  items.read(script.first);
  for (let next = await script.rest.next(); next.done !== true; next = await script.rest.next()) {
    items.read(next.value);
    plainBytes += next.value.length;
    tail = Buffer.concat([tail, next.value.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }
  if (!TRAILER.test(tail.toString('latin1'))) {
    throw new ArchiveUnreadableError('the last line of pg_dump is missing');
  }
  return { items: items.names, plainBytes };
}

const NAME = String.raw`("(?:[^"]|"")+"|[^\s".]+)`;
const COPY = new RegExp(String.raw`^COPY ${NAME}\.${NAME} (?:\(.*\) )?FROM stdin;$`);
/** No `COPY` line is longer: 1600 columns of 63 bytes and their quotes. */
const LINE_BYTES = 128 * 1024;

/** Finds the tables whose rows a plain dump holds. Lines within the rows themselves are passed over. */
class PlainItems {
  readonly #names = new Set<string>();
  #pending: Buffer = Buffer.alloc(0);
  #isInRows = false;

  read(chunk: Buffer): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
      this.#line(bytes.subarray(start, end));
      start = end + 1;
    }
    // The beginning of a very long line is enough to see that it is none of ours.
    this.#pending =
      bytes.length - start > LINE_BYTES ? bytes.subarray(start, start + LINE_BYTES) : bytes.subarray(start);
  }

  get names(): string[] {
    return [...this.#names].sort();
  }

  #line(line: Buffer): void {
    if (this.#isInRows) {
      this.#isInRows = !(line.length === 2 && line[0] === 0x5c && line[1] === 0x2e); // \.
      return;
    }
    if (line[0] !== 0x43) return; // C
    const [, schema, table] = COPY.exec(line.toString('utf8')) ?? [];
    if (schema === undefined || table === undefined) return;
    this.#isInRows = true;
    this.#names.add(`${unquote(schema)}.${unquote(table)}`);
  }
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
