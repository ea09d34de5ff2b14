import type { Readable } from 'node:stream';

/** An object as a storage knows it. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
  modifiedAt: Date;
}

/** What a storage says of an object that it has just made durable; computed from the bytes that *it* wrote. */
export interface PutReceipt {
  key: string;
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Byte positions, both inclusive, as in HTTP `Range`. `end` left out means "to the end". */
export interface ByteRange {
  start: number;
  end?: number;
}

/**
 * A dumb keeper of named byte objects. It does not know backups, compression or encryption. Keys are relative paths
 * with `/` between segments. A driver is constructed for one place (a folder, a bucket with a prefix) and is safe for
 * concurrent calls. Every driver passes `test/contracts/storage.contract.ts`, which tests these invariants:
 *
 * - **S1** An object becomes visible (to `get`, `stat`, `list`) in one step, whole, as the last act of its `put`, and is
 *   durable when that has resolved. Nobody ever sees a part of one.
 * - **S2** A failed or aborted `put` leaves nothing visible and no temporary parts. Its clean-up runs on a fresh
 *   signal: the abort that ended the put must not end the clean-up.
 * - **S3** `put` refuses an existing key (`storage-key-exists`); it never overwrites, also not in a race.
 * - **S4** `stat` answers `undefined` only when the object is surely absent; any doubt is an error.
 * - **S5** Deleting a missing key resolves.
 * - **S6** A `get` that cannot deliver every byte it promised errors; it never just ends.
 * - **S7** No key can leave the driver's place: `..`, absolute paths, NUL, back-slashes, empty segments and symbolic
 *   links are refused (`storage-key-invalid`).
 * - **S8** Every error of the driver is a `DomainError` whose `retryable` is right: a full disk may pass, a missing right does
 *   not. What is not the driver's passes as it is: the error of a put's `bytes`, and the reason of its signal.
 *
 * No driver can keep S2 while its medium does not answer at all; `WatchedStorage`, which lies around each, tells its callers then.
 *
 * A streaming `put` is never retried inside a driver: only the caller can produce the bytes again.
 */
export abstract class Storage {
  /** `local`, `s3`, … */
  abstract readonly kind: string;

  /**
   * Stores everything that `bytes` yields under `key` and resolves when it is durable.
   * When it rejects, `bytes` has been destroyed.
   */
  abstract put(key: string, bytes: Readable, signal: AbortSignal): Promise<PutReceipt>;

  /**
   * Opens an object for reading. Rejects with `storage-object-missing` when it is absent, and with
   * `storage-range-invalid` when the range begins behind its end. Destroying the stream releases everything.
   */
  abstract get(key: string, range?: ByteRange): Promise<Readable>;

  abstract stat(key: string): Promise<StoredObject | undefined>;

  /** All objects whose key begins with `prefix`, in key order (by UTF-8 bytes). Temporary parts are not objects. */
  abstract list(prefix: string): AsyncIterable<StoredObject>;

  abstract delete(key: string): Promise<void>;

  /** How much room is left, where the medium knows it. */
  abstract space(): Promise<StorageSpace | undefined>;

  /**
   * Removes what dead puts left behind and no key names (temporary parts), but never of a put that runs in this process. Makes the
   * place when it is not there. Gives how many were removed.
   */
  abstract sweep(choice?: PartChoice): Promise<number>;

  abstract close(): Promise<void>;
}

/** Which parts a sweep may take; all of them when nothing is said. */
export interface PartChoice {
  /** Only those of puts of these keys, which nobody can want any more. */
  of?: readonly string[];
  /** Other processes put here too: what may be theirs is left alone. */
  sparing?: {
    /** Parts that were written to since. */
    writtenSince: Date;
    /** Parts of the keys that somebody may be putting. Asked when all parts are found, so that none of a later put is taken. */
    keys: () => Promise<readonly string[]>;
  };
}

export interface StorageSpace {
  freeBytes: number;
  totalBytes: number;
}
