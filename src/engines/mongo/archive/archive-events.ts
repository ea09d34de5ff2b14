import type { Readable } from 'node:stream';

import type { ArchiveEvent, ArchivePrelude, Namespace } from './archive.js';
import type { NamespaceHeader } from './frame-documents.js';
import { type FramePieces, FrameWalker } from './frame-walker.js';
import { NamespaceLedger } from './namespace-ledger.js';

/** When documents are handed out. A batch holds one document at least, however large. */
export interface BatchLimits {
  documents: number;
  bytes: number;
}

/**
 * Reads an archive as a sequence of events: its prelude, batches of raw documents, and the end of each namespace. It reads on
 * only when the next event is asked for, and keeps about one batch and one chunk.
 *
 * Ends only when the archive is whole, as `ArchiveReader` does, and throws otherwise; `bytes` is read to its end or destroyed.
 * What it gave out before it threw may be damaged: only an `end` says that the documents of a namespace are right.
 */
export async function* readArchiveEvents(
  bytes: Readable,
  limits: BatchLimits,
): AsyncGenerator<ArchiveEvent, void, undefined> {
  const collector = new EventCollector(limits);
  const walker = new FrameWalker(collector);
  const chunks: AsyncIterable<Buffer> = bytes; // leaving the loop destroys the stream
  for await (const chunk of chunks) {
    walker.read(chunk);
    collector.settle();
    yield* collector.take();
  }
  walker.end();
  collector.finish();
}

/** Gives each document of a batch, as views into it. */
export function* documentsOf(batch: Uint8Array): Generator<Uint8Array, void, undefined> {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  for (let at = 0; at < batch.length;) {
    const length = view.getUint32(at, true);
    yield batch.subarray(at, at + length);
    at += length;
  }
}

/** Puts the pieces of documents together to batches, in the order of the archive. */
class EventCollector implements FramePieces {
  readonly #limits: BatchLimits;
  readonly #ledger = new NamespaceLedger({ hashContent: false });
  #events: ArchiveEvent[] = [];
  #namespace: Namespace | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;
  #count = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  take(): ArchiveEvent[] {
    const taken = this.#events;
    this.#events = [];
    return taken;
  }

  settle(): void {
    this.#ledger.settle();
  }

  finish(): void {
    this.#ledger.finish(0);
  }

  prelude(prelude: ArchivePrelude): void {
    this.#ledger.prelude(prelude);
    this.#events.push({ kind: 'prelude', prelude });
  }

  namespace(header: NamespaceHeader): void {
    this.#closeBatch();
    this.#ledger.namespace(header);
    this.#namespace = { database: header.database, collection: header.collection };
    const content = this.#ledger.ended.at(-1);
    if (header.isEnd && content !== undefined) this.#events.push({ kind: 'end', content });
  }

  document(chunk: Buffer, from: number, to: number, isLast: boolean): void {
    this.#ledger.document(chunk, from, to, isLast);
    this.#parts.push(chunk.subarray(from, to));
    this.#bytes += to - from;
    if (!isLast) return;
    this.#count += 1;
    if (this.#count >= this.#limits.documents || this.#bytes >= this.#limits.bytes) this.#closeBatch();
  }

  #closeBatch(): void {
    if (this.#namespace === undefined || this.#count === 0) return;
    const bytes = Buffer.concat(this.#parts, this.#bytes);
    this.#events.push({ kind: 'documents', namespace: this.#namespace, bytes, count: this.#count });
    this.#parts = [];
    this.#bytes = 0;
    this.#count = 0;
  }
}
