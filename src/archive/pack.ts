import { type Duplex, PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Clock } from '../clock/clock.js';
import type { PutReceipt } from '../storage/storage.js';
import { ArchiveStalledError, ArchiveStoreMismatchError } from './archive.errors.js';
import { createCompressor } from './compression.js';
import { JoinedCompressor } from './joined-compressor.js';
import type { Compression } from './manifest.js';
import { Meter } from './meter.js';
import type { ByteFacts } from './metered-digest.js';

export interface PackRequest {
  /** The plain bytes. Must end only on success and err otherwise (E1); is read to its end or destroyed. */
  source: Readable;
  compression: Compression;
  /** Within `COMPRESSION_LEVELS`; absent: the default. */
  level?: number;
  /** Stores the bytes under a key that the caller chose: `Storage.put`, whose rules hold. */
  store: (bytes: Readable, signal: AbortSignal) => Promise<PutReceipt>;
  signal: AbortSignal;
  /** How long nothing may move. */
  stallMs: number;
  clock: Clock;
  /** Called for every chunk that moved, hundreds of times a second: must be quick and must not throw. */
  onProgress?: (progress: PackProgress) => void;
}

export interface PackProgress {
  plainBytes: number;
  storedBytes: number;
}

/** What was packed, for the manifest. */
export interface PackedPart {
  plain: ByteFacts;
  stored: ByteFacts;
}

/**
 * Compresses and stores one part of an archive, in one pass and bounded memory. Resolves only when the source ended well, all
 * of it went through, and the storage has confirmed size and digest of exactly what it was sent.
 *
 * On any failure everything has been destroyed, and the put has cleaned up, by the time this rejects; with one exception:
 * `ArchiveStoreMismatchError` comes when the object is visible, and the caller must delete it. Rejects with the source's
 * or the storage's own error, with the signal's reason, or with `ArchiveStalledError`; whichever came first.
 */
export async function packPart(request: PackRequest): Promise<PackedPart> {
  // The pipeline reports the source's errors; one that comes before or after it must not end the process.
  request.source.on('error', () => undefined);
  try {
    request.signal.throwIfAborted();
    return await new Packing(request).run();
  } finally {
    request.source.destroy(); // for failures before the pipeline owned it; else it is over anyway
  }
}

class Packing {
  readonly #request: PackRequest;
  readonly #abort = new AbortController();
  readonly #plain: Meter;
  readonly #compressor: Duplex;
  readonly #stored: Meter;
  #lastMoveMs: number;

  constructor(request: PackRequest) {
    const moved = (): void => this.#moved();
    this.#request = request;
    this.#plain = new Meter(moved);
    const compressor = createCompressor(request.compression, request.level);
    this.#compressor = compressor === undefined ? new PassThrough() : new JoinedCompressor(compressor);
    this.#stored = new Meter(moved);
    this.#lastMoveMs = request.clock.monotonicMs();
  }

  async run(): Promise<PackedPart> {
    const signal = AbortSignal.any([this.#request.signal, this.#abort.signal]);
    const watching = this.#watch(signal);
    try {
      const receipt = await this.#transfer(signal);
      return this.#confirm(receipt);
    } finally {
      this.#abort.abort(); // ends the watch
      await watching;
    }
  }

  /** The pipeline and the put, both over when this settles. */
  async #transfer(signal: AbortSignal): Promise<PutReceipt> {
    const stages = [this.#plain, this.#compressor, this.#stored];
    const pumping = pipeline([this.#request.source, ...stages], { signal }).catch((error: unknown) => {
      // Asked now: an abort that comes while the put cleans up is not what ended this.
      throw signal.aborted ? signal.reason : error;
    });
    const [pumped, stored] = await Promise.allSettled([pumping, this.#store(signal)]);
    // A storage that gives up destroys what it reads from, and the pipeline only sees that; the storage knows why.
    if (pumped.status === 'rejected' && !isTorn(pumped.reason)) throw pumped.reason;
    if (stored.status === 'rejected') throw stored.reason;
    if (pumped.status === 'rejected') throw pumped.reason;
    return stored.value; // also when the signal has aborted meanwhile: the object is there
  }

  async #store(signal: AbortSignal): Promise<PutReceipt> {
    try {
      const receipt = await this.#request.store(this.#stored, signal);
      if (!this.#stored.readableEnded) throw this.#mismatch(receipt, { sizeBytes: this.#stored.sizeBytes });
      return receipt;
    } catch (error) {
      this.#stored.destroy(); // ends the pipeline even if the storage forgot to
      throw error;
    }
  }

  #confirm(receipt: PutReceipt): PackedPart {
    const plain = this.#plain.facts;
    const stored = this.#stored.facts;
    if (plain === undefined || stored === undefined) throw new Error('The pipeline resolved before its end');
    if (receipt.sizeBytes !== stored.sizeBytes || receipt.sha256 !== stored.sha256) {
      throw this.#mismatch(receipt, stored);
    }
    return { plain, stored };
  }

  #mismatch(receipt: PutReceipt, sent: Partial<ByteFacts>): ArchiveStoreMismatchError {
    const { key, sizeBytes, sha256 } = receipt;
    return new ArchiveStoreMismatchError(key, { sent, confirmed: { sizeBytes, sha256 } });
  }

  #moved(): void {
    this.#lastMoveMs = this.#request.clock.monotonicMs();
    this.#request.onProgress?.({ plainBytes: this.#plain.sizeBytes, storedBytes: this.#stored.sizeBytes });
  }

  /** Aborts everything when nothing has moved for `stallMs`. Sleeps until the first moment at which that can be. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, stallMs } = this.#request;
    while (!signal.aborted) {
      const leftMs = this.#lastMoveMs + stallMs - clock.monotonicMs();
      if (leftMs <= 0) this.#abort.abort(this.#stall());
      else await clock.sleep(leftMs, signal).catch(() => undefined);
    }
  }

  #stall(): ArchiveStalledError {
    // The source is waited for as long as it has not ended and everything that it gave has been taken.
    const isSourceOver = this.#plain.writableEnded;
    const side = isSourceOver || this.#plain.isHeldUp ? 'storage' : 'source';
    return new ArchiveStalledError(side, {
      stallMs: this.#request.stallMs,
      plainBytes: this.#plain.sizeBytes,
      storedBytes: this.#stored.sizeBytes,
    });
  }
}

/** Whether an error only says that a stream was destroyed by whoever read from it. */
function isTorn(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ABORT_ERR';
}
