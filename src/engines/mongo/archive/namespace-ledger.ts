import { createHash, type Hash } from 'node:crypto';

import { ArchiveUnreadableError } from '../../tools.errors.js';
import {
  type ArchiveContent,
  type ArchivePrelude,
  dataNamespaceOf,
  type NamespaceContent,
  nameOf,
} from './archive.js';
import { ContentHash } from './content-hash.js';
import { Crc64 } from './crc64.js';
import type { NamespaceHeader } from './frame-documents.js';
import type { FramePieces } from './frame-walker.js';

/** One namespace while its documents come. */
interface OpenNamespace {
  crc: Crc64;
  documents: number;
  bytes: number;
  hash: ContentHash | undefined;
}

/**
 * Counts what an archive holds while a `FrameWalker` steps through it, and compares the CRC of each namespace at its end. Every
 * namespace that the prelude lists must end once, and no other may be there. Throws `archive-unreadable`.
 */
export class NamespaceLedger implements FramePieces {
  readonly #hashContent: boolean;
  /** Those that the prelude lists and that did not end yet; `undefined` before their first document. */
  readonly #missing = new Map<string, OpenNamespace | undefined>();
  readonly #ended: NamespaceContent[] = [];
  #prelude: ArchivePrelude | undefined;
  #open: OpenNamespace | undefined;
  /** Bytes of the open namespace that are counted, but not in its CRC: one call for many documents. */
  #run: { chunk: Buffer; from: number; to: number } | undefined;
  /** Of a document that comes in several pieces. */
  #partial: Hash | undefined;

  constructor(options: { hashContent: boolean }) {
    this.#hashContent = options.hashContent;
  }

  /** The namespaces that ended, in that order. */
  get ended(): readonly NamespaceContent[] {
    return this.#ended;
  }

  prelude(prelude: ArchivePrelude): void {
    this.#prelude = prelude;
    for (const entry of prelude.entries) {
      const name = nameOf(dataNamespaceOf(entry, prelude.header.serverVersion));
      if (this.#missing.has(name)) throw new ArchiveUnreadableError(`it lists "${name}" twice`);
      this.#missing.set(name, undefined);
    }
  }

  namespace(header: NamespaceHeader): void {
    this.settle();
    const name = nameOf(header);
    if (!this.#missing.has(name))
      throw new ArchiveUnreadableError(
        `"${name}" is in it again after its end, or is not in its list of collections`,
      );
    const open = this.#missing.get(name) ?? this.#begin(name);
    this.#open = open;
    if (!header.isEnd) return;
    if (header.crc !== open.crc.value)
      throw new ArchiveUnreadableError(`the checksum of "${name}" is not that of its documents`);
    this.#missing.delete(name);
    const { database, collection } = header;
    const { documents, bytes, hash } = open;
    const contentHash = hash === undefined ? {} : { contentHash: hash.toString() };
    this.#ended.push({ database, collection, documents, bytes, ...contentHash });
  }

  document(chunk: Buffer, from: number, to: number, isLast: boolean): void {
    const open = this.#open;
    if (open === undefined) return; // never: a namespace's header comes first
    open.bytes += to - from;
    if (isLast) open.documents += 1;
    if (open.hash !== undefined) this.#hashPiece(open.hash, chunk.subarray(from, to), isLast);
    const run = this.#run;
    if (run !== undefined && run.chunk === chunk && run.to === from) {
      run.to = to;
    } else {
      this.settle();
      this.#run = { chunk, from, to };
    }
  }

  /** Takes what was counted into the CRC. To be called when a chunk was read: it is not kept then. */
  settle(): void {
    if (this.#run === undefined) return;
    this.#open?.crc.update(this.#run.chunk, this.#run.from, this.#run.to);
    this.#run = undefined;
  }

  /** The archive is over: what it held. Throws when a namespace did not end. */
  finish(plainBytes: number): ArchiveContent {
    const [missing] = this.#missing.keys();
    if (this.#prelude === undefined || missing !== undefined)
      throw new ArchiveUnreadableError(
        `it ends before the end of ${missing === undefined ? 'its list of collections' : `"${missing}"`}` +
          (this.#missing.size > 1 ? ` and ${this.#missing.size - 1} other collections` : ''),
      );
    return { prelude: this.#prelude, namespaces: this.#ended, plainBytes };
  }

  #begin(name: string): OpenNamespace {
    const hash = this.#hashContent ? new ContentHash() : undefined;
    const open = { crc: new Crc64(), documents: 0, bytes: 0, hash };
    this.#missing.set(name, open);
    return open;
  }

  #hashPiece(sum: ContentHash, piece: Buffer, isLast: boolean): void {
    if (isLast && this.#partial === undefined) {
      sum.add(piece);
      return;
    }
    this.#partial ??= createHash('sha256');
    this.#partial.update(piece);
    if (!isLast) return;
    sum.addDigest(this.#partial.digest());
    this.#partial = undefined;
  }
}
