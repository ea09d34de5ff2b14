import { ArchiveUnreadableError } from '../tools.errors.js';

const BLOCK_OF_DATA = 1;
const BLOCK_OF_LARGE_OBJECTS = 3;

/** Sizes that the archive's header says. */
export interface ArchiveLayout {
  /** Where the table of contents ends and the data begin. */
  tocBytes: number;
  intBytes: number;
  /** Entries of the table of contents that have a block of data. */
  blocks: number;
}

/** What the next bytes are. A block's number is followed by pieces, of large objects each with its own number before. */
type Expected = 'block' | 'block number' | 'object number' | 'piece length';

/**
 * Walks over the data of a custom archive while it passes by, and knows whether it is whole: `pg_restore` reads no further than
 * the last block it needs, and neither misses a block that it was not asked for nor sees what follows. The layout is that of
 * `pg_backup_custom.c`: a block is a type, a number and pieces, each with its length, the last of length 0.
 */
export class ArchiveWalker {
  readonly #intBytes: number;
  readonly #blocks: number;
  #skip: number;
  #expected: Expected = 'block';
  #isLargeObjects = false;
  #blocksDone = 0;
  /** The beginning of a number whose end is in the next chunk. */
  #pending: Buffer = Buffer.alloc(0);

  constructor(layout: ArchiveLayout) {
    this.#skip = layout.tocBytes;
    this.#intBytes = layout.intBytes;
    this.#blocks = layout.blocks;
  }

  /** Takes the next bytes. Throws `archive-unreadable` when they cannot be. */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#pending.length > 0) {
      bytes = Buffer.concat([this.#pending, chunk]);
      this.#pending = Buffer.alloc(0);
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, bytes.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      const width = this.#expected === 'block' ? 1 : 1 + this.#intBytes;
      if (at + width > bytes.length) {
        this.#pending = Buffer.from(bytes.subarray(at));
        return;
      }
      this.#take(this.#expected === 'block' ? bytes.readUInt8(at) : this.#int(bytes, at));
      at += width;
    }
  }

  /** The bytes are over: throws `archive-unreadable` unless that is just where they should be. */
  end(): void {
    if (this.#skip > 0 || this.#expected !== 'block' || this.#pending.length > 0) {
      throw new ArchiveUnreadableError(`it ends within block ${this.#blocksDone + 1} of ${this.#blocks}`);
    }
    if (this.#blocksDone !== this.#blocks) {
      throw new ArchiveUnreadableError(
        `it has ${this.#blocksDone} blocks of data, and ${this.#blocks} are listed`,
      );
    }
  }

  #take(value: number): void {
    switch (this.#expected) {
      case 'block':
        this.#beginBlock(value);
        return;
      case 'block number':
        this.#expected = this.#isLargeObjects ? 'object number' : 'piece length';
        return;
      case 'object number':
        if (value === 0) this.#endBlock();
        else this.#expected = 'piece length';
        return;
      case 'piece length':
        if (value < 0) throw new ArchiveUnreadableError('a piece of data has a negative length');
        if (value > 0) this.#skip = value;
        else if (this.#isLargeObjects) this.#expected = 'object number';
        else this.#endBlock();
    }
  }

  #beginBlock(type: number): void {
    if (this.#blocksDone === this.#blocks) throw new ArchiveUnreadableError('other bytes follow its end');
    if (type !== BLOCK_OF_DATA && type !== BLOCK_OF_LARGE_OBJECTS) {
      throw new ArchiveUnreadableError(
        `block ${this.#blocksDone + 1} of ${this.#blocks} begins with a wrong byte`,
      );
    }
    this.#isLargeObjects = type === BLOCK_OF_LARGE_OBJECTS;
    this.#expected = 'block number';
  }

  #endBlock(): void {
    this.#blocksDone += 1;
    this.#expected = 'block';
  }

  /** A sign, then the lowest byte first. */
  #int(bytes: Buffer, at: number): number {
    const value = bytes.readUIntLE(at + 1, this.#intBytes);
    return bytes.readUInt8(at) === 0 ? value : -value;
  }
}
