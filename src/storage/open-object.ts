import { addAbortSignal, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { Storage } from './storage.js';

/**
 * Opens an object, and rejects with the signal's reason as soon as that aborts: a destination that does not answer keeps nobody who
 * does not want the object any more. What it opens too late is closed again.
 */
export async function openObject(storage: Storage, key: string, signal: AbortSignal): Promise<Readable> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const opening = storage.get(key);
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    void opening.then((late) => late.destroy()).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Reads a small object whole. */
export async function readObject(storage: Storage, key: string, signal?: AbortSignal): Promise<Buffer> {
  if (signal === undefined) return buffer(await storage.get(key));
  try {
    return await buffer(addAbortSignal(signal, await openObject(storage, key, signal)));
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
