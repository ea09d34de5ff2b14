const expendables = new WeakSet<ArrayBufferLike>();

/**
 * Memory outside of V8's heap, which is given back by {@link freeExpendable} instead of by a collection. A dump is gigabytes of
 * buffers with hardly a handle on the heap, and V8's answer to them is to mark the whole heap again and again (decision 11).
 *
 * Only for streams of which it is known that no stage keeps a piece of a chunk: whoever holds one that was freed finds it empty.
 */
export function allocateExpendable(sizeBytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(sizeBytes); // not from the pool that others share
  expendables.add(buffer.buffer);
  return buffer;
}

/**
 * Makes a buffer expendable that somebody else has allocated, and that is known to be used by nobody but whom it is handed to. One
 * that lies in Node's pool, together with others, is left alone.
 */
export function makeExpendable(buffer: Buffer): void {
  if (buffer.buffer.byteLength > Buffer.poolSize) expendables.add(buffer.buffer);
}

/** Called by the last one who reads a chunk. Frees it if it was allocated for that; any other is left alone. */
export function freeExpendable(chunk: Buffer): void {
  if (expendables.delete(chunk.buffer)) freeNow(chunk);
}

/** Frees a buffer that is known to be nobody else's, and not part of a larger one. */
export function freeNow(chunk: Buffer): void {
  if (chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0); // its memory goes to a new owner of size 0
}
