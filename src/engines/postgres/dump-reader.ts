import { Transform, type TransformCallback } from 'node:stream';

import { ArchiveUnreadableError } from '../tools.errors.js';
import { type ArchiveToc, parseToc, type TocEntry } from './archive-toc.js';
import { ArchiveWalker } from './archive-walker.js';
import { PlainLines } from './plain-lines.js';
import { sumOfPositions } from './sequence-positions.js';

const CHUNK_BYTES = 64 * 1024;
const FIRST_TRY_BYTES = 32 * 1024;

/** What a dump was seen to hold, while it passed by. */
export interface SeenContent {
  /** Tables whose rows are in it, `schema.table`. */
  tables: ReadonlySet<string>;
  /** See `sumOfPositions`; of the sequences that the dump makes. Read from the dump, because sequences do not care for snapshots. */
  sequencePositions: number;
}

/**
 * Reads a dump while it passes by, unchanged. Fails instead of ending when the dump is not whole by its own structure, and
 * then knows what it held.
 */
export abstract class DumpReader extends Transform {
  /** Resolves when the first bytes have come, or when none will. */
  readonly begun: Promise<void>;
  readonly #begin: () => void;

  constructor() {
    super({ highWaterMark: CHUNK_BYTES });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
    this.once('close', resolve);
  }

  /** Known once the stream has ended. */
  abstract get seen(): SeenContent;

  /** Looks at the next bytes; throws when they cannot be. */
  protected abstract look(chunk: Buffer): void;
  /** The bytes are over; throws when they are not whole. */
  protected abstract finish(): void;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#begin();
    try {
      this.look(chunk);
      callback(null, chunk);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _flush(callback: TransformCallback): void {
    this.#begin();
    try {
      this.finish();
      callback();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** Reads a custom archive: its table of contents at the beginning, then the frames of its data. */
export class CustomDumpReader extends DumpReader {
  #head: Buffer[] = [];
  #headBytes = 0;
  #nextTry = FIRST_TRY_BYTES;
  #toc: ArchiveToc | undefined;
  #walker: ArchiveWalker | undefined;

  override get seen(): SeenContent {
    const entries = this.#toc?.entries ?? [];
    const rows = entries.filter(({ kind }) => kind === 'TABLE DATA');
    const sequences = new Set(entries.filter(({ kind }) => kind === 'SEQUENCE').map(nameOf));
    // An extension may want the dump to say where its sequences stand; they are made by CREATE EXTENSION, and not counted.
    const set = entries.filter((entry) => entry.kind === 'SEQUENCE SET' && sequences.has(nameOf(entry)));
    return {
      tables: new Set(rows.map(nameOf)),
      sequencePositions: sumOfPositions(set.map(({ definition }) => definition)),
    };
  }

  protected override look(chunk: Buffer): void {
    if (this.#walker !== undefined) {
      this.#walker.read(chunk);
      return;
    }
    this.#head.push(Buffer.from(chunk)); // a copy: the chunk goes on, and is freed by whoever reads it last
    this.#headBytes += chunk.length;
    if (this.#headBytes >= this.#nextTry) this.#tryHead();
  }

  protected override finish(): void {
    if (this.#walker === undefined) this.#tryHead();
    if (this.#walker === undefined) throw new ArchiveUnreadableError('it ends within its table of contents');
    this.#walker.end();
  }

  #tryHead(): void {
    const head = Buffer.concat(this.#head);
    this.#nextTry = this.#headBytes * 2;
    this.#toc = parseToc(head);
    if (this.#toc === undefined) return;
    this.#walker = new ArchiveWalker(this.#toc.layout);
    this.#walker.read(head);
    this.#head = [];
  }
}

function nameOf({ schema, tag }: TocEntry): string {
  return `${schema}.${tag}`;
}

/** Reads a plain dump by its lines. */
export class PlainDumpReader extends DumpReader {
  readonly #lines = new PlainLines();

  override get seen(): SeenContent {
    return {
      tables: new Set(this.#lines.tables),
      sequencePositions: sumOfPositions(this.#lines.positions),
    };
  }

  protected override look(chunk: Buffer): void {
    this.#lines.read(chunk);
  }

  protected override finish(): void {
    this.#lines.end();
  }
}
