import { Transform, type TransformCallback } from 'node:stream';

import type { ArchiveContent } from './archive.js';
import { FrameWalker } from './frame-walker.js';
import { NamespaceLedger } from './namespace-ledger.js';

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads an archive while it passes by, unchanged. Fails instead of ending when the archive is not whole: cut off, damaged, a
 * checksum that is wrong, a collection that did not end. Memory does not grow with the archive.
 *
 * It fails with `archive-foreign` or `archive-unreadable`. Damage in the prelude that leaves it readable (a letter of a name, an
 * option) cannot be seen, as the format has no checksum there; whoever stored the archive has a digest of the whole.
 */
export class ArchiveReader extends Transform {
  readonly #ledger: NamespaceLedger;
  readonly #walker: FrameWalker;
  #plainBytes = 0;
  #content: ArchiveContent | undefined;

  constructor(options: { hashContent?: boolean } = {}) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#ledger = new NamespaceLedger({ hashContent: options.hashContent ?? false });
    this.#walker = new FrameWalker(this.#ledger);
  }

  /** What the archive held. Known once the stream has ended; throws before. */
  get content(): ArchiveContent {
    if (this.#content === undefined) throw new Error('the archive was not read to its end');
    return this.#content;
  }

  /** How many collections have ended so far, for people who wait. */
  get collectionsDone(): number {
    return this.#ledger.ended.length;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#walker.read(chunk);
      this.#ledger.settle();
      this.#plainBytes += chunk.length;
      callback(null, chunk);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _flush(callback: TransformCallback): void {
    try {
      this.#walker.end();
      this.#content = this.#ledger.finish(this.#plainBytes);
      callback();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
