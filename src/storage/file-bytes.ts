import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { callbackify } from 'node:util';

import type { ByteSpan } from './byte-range.js';

const CHUNK_BYTES = 256 * 1024;

/** How a `FileBytes` words what it meets; its errors must be those of the storage room. */
export interface FileBytesErrors {
  short(readBytes: number, expectedBytes: number): Error;
  failed(cause: unknown): Error;
}

/**
 * A span of an open file as a stream that gives exactly `length` bytes or errors (S6). `fs.createReadStream` just ends
 * when the file has become shorter. Owns the handle: it is closed when the stream ends, errs or is destroyed.
 */
export class FileBytes extends Readable {
  readonly #file: FileHandle;
  readonly #span: ByteSpan;
  readonly #errors: FileBytesErrors;
  #done = 0;

  constructor(file: FileHandle, span: ByteSpan, errors: FileBytesErrors) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#file = file;
    this.#span = span;
    this.#errors = errors;
  }

  override _read(): void {
    this.#giveNext().catch((error: unknown) => this.destroy(this.#errors.failed(error)));
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // Waits for a read under way. That closing a file that was only read fails tells nothing about the bytes given.
    callbackify(() => this.#file.close())(() => callback(error));
  }

  async #giveNext(): Promise<void> {
    const wanted = Math.min(CHUNK_BYTES, this.#span.length - this.#done);
    if (wanted === 0) {
      this.push(null);
      return;
    }
    const target = Buffer.allocUnsafeSlow(wanted);
    const { bytesRead } = await this.#file.read(target, 0, wanted, this.#span.start + this.#done);
    this.#done += bytesRead;
    if (bytesRead === 0) this.destroy(this.#errors.short(this.#done, this.#span.length));
    else this.push(target.subarray(0, bytesRead));
  }
}
