import { Transform, type TransformCallback } from 'node:stream';

import { MeteredDigest, type ByteFacts } from './metered-digest.js';

/** Lets bytes pass unchanged and knows, at the end, how many they were and their digest. */
export class Meter extends Transform {
  readonly #digest = new MeteredDigest();
  readonly #onBytes: () => void;
  #facts: ByteFacts | undefined;

  /** `onBytes` is called after each chunk has been counted. */
  constructor(onBytes: () => void) {
    super();
    this.#onBytes = onBytes;
  }

  get sizeBytes(): number {
    return this.#digest.sizeBytes;
  }

  /** Set once the last byte has passed. */
  get facts(): ByteFacts | undefined {
    return this.#facts;
  }

  /** Whether bytes wait here because whoever is behind does not take them. */
  get isHeldUp(): boolean {
    return this.writableLength > 0 || this.readableLength > 0;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#digest.add(chunk);
    this.#onBytes();
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    this.#facts = this.#digest.finish();
    callback();
  }
}
