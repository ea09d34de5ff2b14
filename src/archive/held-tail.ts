import { Transform, type TransformCallback } from 'node:stream';

/**
 * Passes every chunk on but the last, which follows only when the source has ended well. Behind `openPart` it makes sure that
 * a reader who counts bytes (an HTTP client with a Content-Length) never gets all of them from a damaged archive.
 */
export class HeldTail extends Transform {
  #held: Buffer | undefined;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    const before = this.#held;
    this.#held = chunk;
    callback(null, before);
  }

  override _flush(callback: TransformCallback): void {
    callback(null, this.#held);
  }
}
