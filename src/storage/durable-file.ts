import { createHash } from 'node:crypto';
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { errnoOf, isAbsence } from './local-storage.errors.js';

/** Answers of file systems that know no hard links (exFAT, some SMB and FUSE mounts). */
const NO_HARD_LINKS: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Answers of file systems on which a folder cannot be flushed; there is nothing that could be done instead. */
const NO_FOLDER_SYNC: readonly (string | undefined)[] = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR'];

/**
 * After so many bytes a flush begins beside the writing. Without it the system gathers gigabytes in memory, and the last
 * flush takes minutes in which nothing seems to move; a full or failing medium is also noticed earlier.
 */
const FLUSH_EVERY_BYTES = 64 * 1024 * 1024;

export interface Written {
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Writes chunks to a new file one after another, and knows size and digest of what the operating system took. */
export class DurableFile {
  readonly #file: FileHandle;
  readonly #digest = createHash('sha256');
  #sizeBytes = 0;
  #sinceFlushBytes = 0;
  /** At most one flush is under way; who awaits it next gets its error. */
  #flush: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Makes the file, mode 0600. Rejects with `EEXIST` when the name is taken. */
  static async create(path: string): Promise<DurableFile> {
    return new DurableFile(await open(path, 'wx', 0o600));
  }

  async append(chunk: Uint8Array): Promise<void> {
    const writing = this.#writeAll(chunk);
    this.#digest.update(chunk); // while the operating system writes
    await writing;
    this.#sinceFlushBytes += chunk.length;
    if (this.#sinceFlushBytes < FLUSH_EVERY_BYTES) return;
    await this.#flush;
    this.#sinceFlushBytes = 0;
    this.#flush = this.#file.datasync();
    this.#flush.catch(() => undefined);
  }

  /** Flushes to the medium and confirms the size. The file stays open. */
  async finish(): Promise<Written> {
    await this.#flush;
    await this.#file.sync();
    const { size } = await this.#file.stat();
    if (size !== this.#sizeBytes)
      throw new Error(`${this.#sizeBytes} bytes were written, but the file has ${size}`);
    return { sizeBytes: size, sha256: this.#digest.digest('hex') };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** `write(2)` may take less than it is given; the rest is offered again until it is taken or refused. */
  async #writeAll(chunk: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < chunk.length) {
      const { bytesWritten } = await this.#file.write(chunk, offset, chunk.length - offset);
      if (bytesWritten === 0) throw new Error('the file took no more bytes without saying why');
      offset += bytesWritten;
      this.#sizeBytes += bytesWritten;
    }
  }
}

/**
 * Gives a finished file its final name, in the same folder, in one step that never replaces: rejects with `EEXIST` when
 * the name is taken, in a race too. `rename(2)` would overwrite silently. The part's own name may remain.
 */
export async function publish(part: string, path: string, claim: string): Promise<void> {
  try {
    await link(part, path);
  } catch (error) {
    if (!NO_HARD_LINKS.includes(errnoOf(error))) throw error;
    await publishByClaim(part, path, claim);
  }
}

/**
 * `publish` for file systems without hard links: whoever makes the claim file may look and rename. Safe among processes
 * that all do so; a claim that a dead process left is swept at start and until then refuses the key.
 */
export async function publishByClaim(part: string, path: string, claim: string): Promise<void> {
  const file = await open(claim, 'wx', 0o600);
  try {
    if (await isTaken(path)) throw Object.assign(new Error(`${path} is taken`), { code: 'EEXIST' });
    await rename(part, path);
  } finally {
    await file.close();
    await unlink(claim);
  }
}

/**
 * Flushes the entries of a folder and of those above it up to `top`, so that new names, and removals, survive a power cut.
 * One that a concurrent delete has removed has no entries left to flush.
 */
export async function syncFolders(folder: string, top: string): Promise<void> {
  for (let each = folder; ; each = dirname(each)) {
    await syncFolder(each);
    if (each === top || each === dirname(each)) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.includes(errnoOf(error)) && !isAbsence(error)) throw error;
  } finally {
    await folder?.close();
  }
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
