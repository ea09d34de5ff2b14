import { hash } from 'node:crypto';

/** Names the method in a manifest: the sum, modulo 2^256, of the SHA-256 of each document's BSON. */
const METHOD = 'bson-sum-v1';
const LANES = 8;

/** A hash of documents that does not depend on their order, so that a restored copy has the same one. */
export class ContentHash {
  readonly #sum = new Uint32Array(LANES);

  /** Adds one document: its raw bytes. */
  add(document: Uint8Array): void {
    this.addDigest(hash('sha256', document, 'buffer'));
  }

  /** Adds a document by the SHA-256 of its raw bytes, for one that came in pieces. */
  addDigest(digest: Buffer): void {
    let carry = 0;
    for (let lane = 0; lane < LANES; lane += 1) {
      const added = (this.#sum[lane] ?? 0) + digest.readUInt32LE(lane * 4) + carry;
      this.#sum[lane] = added >>> 0;
      carry = added > 0xff_ff_ff_ff ? 1 : 0;
    }
  }

  /** The text for a manifest. */
  toString(): string {
    return `${METHOD}:${Buffer.from(this.#sum.buffer).toString('hex')}`;
  }
}
