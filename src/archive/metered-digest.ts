import { createHash } from 'node:crypto';

/** Size and digest of a run of bytes. */
export interface ByteFacts {
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Counts and digests bytes as they come by. */
export class MeteredDigest {
  readonly #digest = createHash('sha256');
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(chunk: Uint8Array): void {
    this.#sizeBytes += chunk.length;
    this.#digest.update(chunk);
  }

  /** Closes the count. To be called once, when the last byte has come by. */
  finish(): ByteFacts {
    return { sizeBytes: this.#sizeBytes, sha256: this.#digest.digest('hex') };
  }
}
