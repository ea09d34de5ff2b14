import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';

import { reached } from '../process/phase-points.js';
import { spanOf } from './byte-range.js';
import { DurableFile, publish, syncFolders, type Written } from './durable-file.js';
import { FileBytes } from './file-bytes.js';
import { exists, removeFile, statfsOfNearest, statFile } from './local-files.js';
import { makeFolder, placeOf, pruneFolders, realRoot, walkFiles, type Place } from './local-folders.js';
import { errnoOf, isAbsence, toStorageError, type FileWork } from './local-storage.errors.js';
import {
  StorageKeyExistsError,
  StorageKeyInvalidError,
  StorageObjectMissingError,
  StorageShortReadError,
} from './storage.errors.js';
import { isKeySegment, splitKey, splitPrefix } from './storage-key.js';
import { claimNameOf, newPartName } from './storage-parts.js';
import { findParts, isPartOfKey, wasWrittenSince } from './local-parts.js';
import {
  Storage,
  type ByteRange,
  type PartChoice,
  type PutReceipt,
  type StorageSpace,
  type StoredObject,
} from './storage.js';

/** How often a put makes its folder again when a concurrent delete, finding it empty, removes it. */
const FOLDER_ATTEMPTS = 20;

/**
 * Objects as files below one folder of this machine: the key is the path. Files have mode 0600, folders 0700.
 *
 * The folder is made by the sweep at start, or by the first `put`. Where it is not there later, a mount may be lost, and
 * nobody knows what it holds: calls then reject with `storage-unavailable` (S4). Only `stat`, by which a backup learns that
 * its name is free, takes a folder that this process has never seen for one that is still to be made; the put that follows
 * says what is in the way.
 */
export class LocalStorage extends Storage {
  override readonly kind = 'local';
  readonly #root: string;
  /** Parts of puts under way, by name: what a sweep must leave alone. */
  readonly #parts = new Set<string>();

  #hasSeenRoot = false;

  constructor(root: string) {
    super();
    this.#root = resolve(root);
  }

  /** Rejects with the source's own error when `bytes` fails, and with the signal's reason when that aborts. */
  override async put(key: string, bytes: Readable, signal: AbortSignal): Promise<PutReceipt> {
    // The loop that reads reports its errors; one that comes before or after the loop must not end the process.
    bytes.on('error', () => undefined);
    try {
      signal.throwIfAborted();
      splitKey(key);
      const written = await this.#store(key, bytes, signal);
      return { key, ...written };
    } catch (error) {
      bytes.destroy();
      throw signal.aborted ? signal.reason : error;
    }
  }

  override async get(key: string, range?: ByteRange): Promise<Readable> {
    const work = this.#work('read', key);
    const file = await translated(work, () => this.#open(key));
    try {
      const stats = await translated(work, () => file.stat());
      if (!stats.isFile()) throw new StorageObjectMissingError(key);
      return new FileBytes(file, spanOf(key, stats.size, range), {
        short: (readBytes, expectedBytes) => new StorageShortReadError(key, { expectedBytes, readBytes }),
        failed: (cause) => toStorageError(cause, work),
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  override async stat(key: string): Promise<StoredObject | undefined> {
    return translated(this.#work('read', key), async () => {
      splitKey(key);
      if (!this.#hasSeenRoot && !(await exists(this.#root))) return undefined;
      const { path } = await this.#placeOf(key);
      return statFile(key, path);
    });
  }

  override async *list(prefix: string): AsyncGenerator<StoredObject> {
    splitPrefix(prefix);
    const root = await translated(this.#work('read'), () => realRoot(this.#root));
    const files = walkFiles(root, prefix);
    const next = () => translated(this.#work('read'), () => files.next());
    for (let found = await next(); !found.done; found = await next()) {
      const { key, path, name } = found.value;
      if (!isKeySegment(name)) continue;
      const object = await translated(this.#work('read', key), () => statFile(key, path));
      if (object !== undefined) yield object; // else it was deleted since its folder was read
    }
  }

  /** Also removes the folders that this leaves empty, so that a database without backups leaves no trace. */
  override async delete(key: string): Promise<void> {
    await translated(this.#work('write', key), async () => {
      const place = await this.#placeOf(key);
      if ((await statFile(key, place.path)) === undefined) return;
      await removeFile(place.path);
      await syncFolders(place.folder, place.folder);
      await pruneFolders(place.folder, place.root);
    });
  }

  /** Of the file system where the folder is, or will be made. */
  override async space(): Promise<StorageSpace> {
    return translated(this.#work('read'), async () => {
      const { bavail, blocks, bsize } = await statfsOfNearest(this.#root);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    });
  }

  /**
   * Makes the folder when it is not there, so that reading before the first `put` finds nothing instead of failing. A put whose part
   * is taken, because it was not spared or stood still for too long, fails, retryable, and harms nothing.
   */
  override async sweep({ of, sparing }: PartChoice = {}): Promise<number> {
    return translated(this.#work('write'), async () => {
      await this.#makeRoot();
      const found = (await findParts(this.#root, of)).filter(({ name }) => !this.#parts.has(name));
      const theirs = sparing === undefined || found.length === 0 ? [] : await sparing.keys();
      let count = 0;
      for (const part of found) {
        if (theirs.some((key) => isPartOfKey(part, key))) continue;
        if (sparing !== undefined && (await wasWrittenSince(part.path, sparing.writtenSince))) continue;
        await removeFile(part.path);
        reached('sweep.part-deleted');
        await pruneFolders(dirname(part.path), this.#root);
        count += 1;
      }
      return count;
    });
  }

  override async close(): Promise<void> {
    // Nothing is kept open between calls.
  }

  async #store(key: string, bytes: Readable, signal: AbortSignal): Promise<Written> {
    const work = this.#work('write', key);
    const { place, part, file } = await translated(work, () => this.#begin(key));
    reached('storage.part-created');
    let isPublished = false;
    try {
      const written = await fill(file, bytes, signal, work);
      await translated(work, async () => {
        await file.close();
        signal.throwIfAborted();
        reached('storage.part-flushed');
        await publishAs(place, part);
        reached('storage.object-visible');
        isPublished = true;
        await removeFile(part);
        await syncFolders(place.folder, place.root);
      });
      return written;
    } catch (error) {
      await file.close().catch(() => undefined);
      // No signal ends this. What cannot be removed now, the next sweep removes; the first error is the one that tells.
      if (isPublished) await removeFile(place.path).catch(() => undefined);
      await removeFile(part).catch(() => undefined);
      await pruneFolders(place.folder, place.root);
      throw error;
    } finally {
      this.#parts.delete(basename(part));
    }
  }

  /** Makes the folders and the part of a put. Refuses a taken key here already, before gigabytes are written. */
  async #begin(key: string): Promise<{ place: Place; part: string; file: DurableFile }> {
    await this.#makeRoot();
    const place = await this.#placeOf(key);
    if (await exists(place.path)) throw new StorageKeyExistsError(key);
    const name = newPartName(place.name);
    const part = join(place.folder, name);
    this.#parts.add(name);
    try {
      return { place, part, file: await createPart(place, part) };
    } catch (error) {
      this.#parts.delete(name);
      await pruneFolders(place.folder, place.root);
      throw error;
    }
  }

  async #makeRoot(): Promise<void> {
    const topmost = await makeFolder(this.#root);
    if (topmost !== undefined) await syncFolders(this.#root, dirname(topmost));
    this.#hasSeenRoot = true;
  }

  async #placeOf(key: string): Promise<Place> {
    const place = await placeOf(this.#root, key);
    this.#hasSeenRoot = true;
    return place;
  }

  async #open(key: string): Promise<FileHandle> {
    const { path } = await this.#placeOf(key);
    try {
      // Not blocking: opening a named pipe that somebody left there would wait for ever.
      return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (isAbsence(error)) throw new StorageObjectMissingError(key, error);
      throw error;
    }
  }

  #work(doing: FileWork['doing'], key?: string): FileWork {
    return { doing, root: this.#root, ...(key === undefined ? {} : { key }) };
  }
}

/** Runs file work and lets its errors speak the storage room's words. */
async function translated<T>(work: FileWork, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toStorageError(error, work);
  }
}

/** Writes all that `bytes` gives. Errors of `bytes` pass as they are, those of the file are translated. */
async function fill(
  file: DurableFile,
  bytes: Readable,
  signal: AbortSignal,
  work: FileWork,
): Promise<Written> {
  addAbortSignal(signal, bytes);
  for await (const chunk of bytes as AsyncIterable<Uint8Array | string>) {
    await translated(work, () => file.append(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    reached('storage.chunk-written');
  }
  return translated(work, () => file.finish());
}

async function createPart(place: Place, part: string): Promise<DurableFile> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeFolder(place.folder);
      return await DurableFile.create(part);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOTDIR' || errno === 'EEXIST') {
        throw new StorageKeyInvalidError(place.key, 'the name of one of its folders is taken by an object');
      }
      // A concurrent delete found the folder empty before our part was in it.
      if (errno !== 'ENOENT' || attempt === FOLDER_ATTEMPTS) throw error;
    }
  }
}

async function publishAs(place: Place, part: string): Promise<void> {
  try {
    await publish(part, place.path, join(place.folder, claimNameOf(place.name)));
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw new StorageKeyExistsError(place.key, error);
    throw error;
  }
}
