import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files take whole pages of a file system in memory. */
export const PAGE = 4096;

/** A file system in memory with a size, mounted at a folder of its own. */
export class Disk implements AsyncDisposable {
  readonly #base: string;
  readonly #bytes: number;

  private constructor(base: string, bytes: number) {
    this.#base = base;
    this.#bytes = bytes;
  }

  static async mount(bytes: number): Promise<Disk> {
    const disk = new Disk(await mkdtemp(join(tmpdir(), 'backstop-disk-')), bytes);
    await mkdir(disk.path);
    await mkdir(disk.#elsewhere);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', disk.path]);
    return disk;
  }

  get path(): string {
    return join(this.#base, 'mounted');
  }

  get #elsewhere(): string {
    return join(this.#base, 'elsewhere');
  }

  /**
   * Something else fills it, but for so many bytes. A service that writes meanwhile may have taken what was free a moment
   * ago; then half as much is taken, and what is left is asked for again.
   */
  async fillBut(freeBytes: number): Promise<void> {
    await this.empty();
    let filled = 0;
    let most = this.#bytes;
    for (;;) {
      const { bavail, bsize } = await statfs(this.path);
      const pages = Math.ceil(Math.min(most, bavail * bsize - freeBytes) / PAGE);
      if (pages <= 0) return;
      if (await this.#fill(filled, pages * PAGE)) filled += pages * PAGE;
      else if (pages > 1) most = Math.floor(pages / 2) * PAGE;
    }
  }

  /** Gives false when there is no room for it; then nothing of it is taken. */
  async #fill(offset: number, bytes: number): Promise<boolean> {
    const at = ['-o', String(offset), '-l', String(bytes)];
    const taken = run('env', ['LC_ALL=C', 'fallocate', ...at, join(this.path, '.filler')]);
    return taken.then(
      () => true,
      (error: Error) => {
        if (error.message.includes('No space left on device')) return false;
        throw error;
      },
    );
  }

  async empty(): Promise<void> {
    await rm(join(this.path, '.filler'), { force: true });
  }

  async remount(how: 'ro' | 'rw'): Promise<void> {
    await run('mount', ['-o', `remount,${how},size=${this.#bytes}`, this.path]);
  }

  /** Takes it away although it is in use, as a share that goes; what lies on it stays. The empty folder below is what is seen. */
  async unmount(): Promise<void> {
    await run('mount', ['--move', this.path, this.#elsewhere]);
  }

  async mountAgain(): Promise<void> {
    await run('mount', ['--move', this.#elsewhere, this.path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of [this.path, this.#elsewhere]) await run('umount', ['-l', path]).catch(() => undefined);
    await rm(this.#base, { recursive: true });
  }
}
