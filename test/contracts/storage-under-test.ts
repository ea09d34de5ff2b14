import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { TestContext } from 'vitest';

import type { Storage, StoredObject } from '../../src/storage/storage.ts';

/** A storage over a fresh place, and what a test must be able to do to that place behind the storage's back. */
export interface StorageUnderTest {
  storage: Storage;
  /** Removes the place and everything in it. */
  dispose(): Promise<void>;
  /** Everything that is physically at the place, temporary parts and folders included. */
  everything(): Promise<string[]>;
  /** Cuts a stored object. */
  truncate(key: string, sizeBytes: number): Promise<void>;
  /** Makes `key` lead to something outside of the place, where the medium has links; gives what must stay untouched. */
  plantLink?(key: string): Promise<{ outside(): Promise<string[]> }>;
  /** Makes the whole place unreachable. */
  lose(): Promise<void>;
}

export type OpenStorage = () => Promise<StorageUnderTest>;

/** A place of a special kind, or the reason why this machine cannot make one. */
export type SpecialPlace = { open: OpenStorage } | { skip: string };

export interface SpecialPlaces {
  /** Has room for less than 4 MiB. */
  full: SpecialPlace;
  /** Holds the object `old` of one byte and refuses writing. */
  readOnly: SpecialPlace;
}

export const never: AbortSignal = new AbortController().signal;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that do not compress and do not repeat. */
export function noise(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

/** A stream of these bytes in chunks, the last perhaps smaller. */
export function streamOf(bytes: Buffer, chunkBytes = 64 * 1024): Readable {
  function* chunks(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** A stream that has given `bytes` and then waits; the test decides how it goes on. */
export function openEndedStream(bytes: Buffer): PassThrough {
  const stream = new PassThrough({ highWaterMark: bytes.length + 1 });
  stream.write(bytes);
  return stream;
}

export async function putText(storage: Storage, key: string, text: string): Promise<void> {
  await storage.put(key, streamOf(Buffer.from(text)), never);
}

export async function contentOf(storage: Storage, key: string): Promise<Buffer> {
  return buffer(await storage.get(key));
}

export async function listed(storage: Storage, prefix = ''): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of storage.list(prefix)) objects.push(object);
  return objects;
}

export async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  return (await listed(storage, prefix)).map((object) => object.key);
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It resolved, but was to reject');
}

/** What each of these calls rejects with; all of them are waited for. */
export async function rejectionsOf(calls: Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(calls.map(rejectionOf));
}

/** Runs a test over a special place, or skips it with the reason. */
export async function within(
  special: SpecialPlace,
  context: TestContext,
  run: (place: StorageUnderTest) => Promise<void>,
): Promise<void> {
  if ('skip' in special) context.skip(special.skip);
  else {
    const place = await special.open();
    try {
      await run(place);
    } finally {
      await place.dispose();
    }
  }
}
