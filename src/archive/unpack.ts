import { PassThrough, Transform, Writable, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { StorageObjectMissingError } from '../storage/storage.errors.js';
import { openObject } from '../storage/open-object.js';
import type { Storage } from '../storage/storage.js';
import { ArchiveDamagedError, ArchiveMissingError } from './archive.errors.js';
import { createDecompressor, isCompressionError } from './compression.js';
import type { Compression, Manifest, ManifestPart } from './manifest.js';
import { MeteredDigest } from './metered-digest.js';

/**
 * Opens a part of an archive as its plain bytes, for a restore or a plain download. The stream **ends** only when size and
 * SHA-256 of both the stored and the plain bytes are those of the manifest; else it errs after its last byte, before its end.
 * Whatever consumes it must therefore undo its work when the stream errs.
 *
 * Rejects with `ArchiveMissingError`; the stream errs with `ArchiveDamagedError`, an error of the storage, or the signal's reason.
 * Destroying it releases everything. `onProgress` gets the stored bytes read so far, for every chunk.
 */
export async function openPart(
  storage: Storage,
  key: string,
  part: ManifestPart,
  compression: Compression,
  signal: AbortSignal,
  onProgress: (storedBytes: number) => void = () => undefined,
): Promise<Readable> {
  const bytes = await open(storage, key, signal);
  const stored = new StoredCheck(key, part.stored, onProgress);
  const decompressor = createDecompressor(compression);
  const isAllUsed = (): boolean =>
    stored.hasPassed && (decompressor === undefined || decompressor.bytesWritten === part.stored.size_bytes);
  const plain = new PlainCheck(key, part.plain, isAllUsed, signal);
  // The last stream is what the caller holds, and carries every error to him.
  pipeline([bytes, stored, decompressor ?? new PassThrough(), plain], { signal }).catch(() => undefined);
  return plain;
}

/**
 * Reads a part as it is stored, and rejects with `ArchiveMissingError` or `ArchiveDamagedError` unless its size and SHA-256 are those of
 * the manifest. `onProgress` gets the bytes read so far, for every chunk.
 */
export async function verifyPart(
  storage: Storage,
  key: string,
  part: ManifestPart,
  signal: AbortSignal,
  onProgress?: (storedBytes: number) => void,
): Promise<void> {
  const bytes = await open(storage, key, signal);
  const stored = new StoredCheck(key, part.stored, onProgress ?? (() => undefined));
  const nowhere = new Writable({ write: (_chunk, _encoding, callback) => callback() });
  try {
    await pipeline(bytes, stored, nowhere, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** The parts of an archive where they lie. */
export interface PartsInPlace {
  storage: Storage;
  manifest: Pick<Manifest, 'parts'>;
  keyOf(part: ManifestPart): string;
}

/** Reads all parts of an archive as they are stored; see `verifyPart`. `onProgress` gets the bytes of all together. */
export async function verifyParts(
  set: PartsInPlace,
  signal: AbortSignal,
  onProgress?: (storedBytes: number) => void,
): Promise<void> {
  let before = 0;
  for (const part of set.manifest.parts) {
    await verifyPart(set.storage, set.keyOf(part), part, signal, (bytes) => onProgress?.(before + bytes));
    before += part.stored.size_bytes;
  }
}

async function open(storage: Storage, key: string, signal: AbortSignal): Promise<Readable> {
  try {
    return await openObject(storage, key, signal);
  } catch (error) {
    if (error instanceof StorageObjectMissingError) throw new ArchiveMissingError(key, error);
    throw error;
  }
}

type Expected = ManifestPart['stored'];

/** Lets the stored bytes pass, and errs at their end unless they are the expected ones. */
class StoredCheck extends Transform {
  readonly #key: string;
  readonly #expected: Expected;
  readonly #onProgress: (storedBytes: number) => void;
  readonly #digest = new MeteredDigest();
  #hasPassed = false;

  constructor(key: string, expected: Expected, onProgress: (storedBytes: number) => void) {
    super();
    this.#key = key;
    this.#expected = expected;
    this.#onProgress = onProgress;
  }

  /** Whether every stored byte has been read and is as expected. */
  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#digest.add(chunk);
    this.#onProgress(this.#digest.sizeBytes);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    const damage = damageOf(this.#key, 'stored', this.#expected, this.#digest);
    this.#hasPassed = damage === undefined;
    callback(damage);
  }
}

/** Lets the plain bytes pass, and ends only when they, and the stored ones, are the expected ones. */
class PlainCheck extends Transform {
  readonly #key: string;
  readonly #expected: Expected;
  readonly #isAllUsed: () => boolean;
  readonly #signal: AbortSignal;
  readonly #digest = new MeteredDigest();

  constructor(key: string, expected: Expected, isAllUsed: () => boolean, signal: AbortSignal) {
    super();
    this.#key = key;
    this.#expected = expected;
    this.#isAllUsed = isAllUsed;
    this.#signal = signal;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#digest.add(chunk);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    // A decompressor ends with its frame, although stored bytes may be left: unread, or read and ignored.
    if (!this.#isAllUsed()) callback(new ArchiveDamagedError(this.#key, 'trailing-data', {}));
    else callback(damageOf(this.#key, 'plain', this.#expected, this.#digest));
  }

  /** Every error of the pipeline arrives here; the consumer gets it in the words of this room. */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (error !== null && this.#signal.aborted) callback(this.#signal.reason);
    else if (isCompressionError(error))
      callback(new ArchiveDamagedError(this.#key, 'compression', {}, error));
    else callback(error);
  }
}

function damageOf(
  key: string,
  side: 'stored' | 'plain',
  expected: Expected,
  digest: MeteredDigest,
): ArchiveDamagedError | undefined {
  const found = digest.finish();
  if (found.sizeBytes !== expected.size_bytes) {
    const facts = { expected: expected.size_bytes, found: found.sizeBytes };
    return new ArchiveDamagedError(key, `${side}-size`, facts);
  }
  if (found.sha256 !== expected.sha256) {
    return new ArchiveDamagedError(key, `${side}-sha256`, { expected: expected.sha256, found: found.sha256 });
  }
  return undefined;
}
