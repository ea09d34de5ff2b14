import { Readable } from 'node:stream';

import type { Compression, ManifestPart } from '../../src/archive/manifest.ts';
import { packPart, type PackedPart, type PackRequest } from '../../src/archive/pack.ts';
import { SystemClock } from '../../src/clock/system-clock.ts';
import type { Storage } from '../../src/storage/storage.ts';

export const never: AbortSignal = new AbortController().signal;

/** A request with everything ordinary but what a test is about. */
export function packing(storage: Storage, key: string, request: Partial<PackRequest>): PackRequest {
  return {
    source: Readable.from([]),
    compression: 'zstd',
    store: (bytes, signal) => storage.put(key, bytes, signal),
    signal: never,
    stallMs: 30_000,
    clock: new SystemClock(),
    ...request,
  };
}

/** Packs these bytes in chunks, as a child's stdout would give them. */
export async function packBytes(
  storage: Storage,
  key: string,
  plain: Buffer,
  compression: Compression,
): Promise<ManifestPart> {
  const source = Readable.from(chunksOf(plain), { objectMode: false });
  return partOf(key, await packPart(packing(storage, key, { source, compression })));
}

/** What the manifest says of a packed part. */
export function partOf(key: string, packed: PackedPart): ManifestPart {
  return {
    role: 'data',
    filename: key.split('/').at(-1) ?? '',
    plain: { size_bytes: packed.plain.sizeBytes, sha256: packed.plain.sha256 },
    stored: { size_bytes: packed.stored.sizeBytes, sha256: packed.stored.sha256 },
  };
}

export function* chunksOf(bytes: Buffer, chunkBytes = 64 * 1024): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** Text that compresses like SQL does, without repeating itself exactly. */
export function sqlLike(sizeBytes: number): Buffer {
  const lines: string[] = [];
  let length = 0;
  for (let row = 0; length < sizeBytes; row += 1) {
    const line = `INSERT INTO orders VALUES (${row}, 'customer ${(row * 7919) % 100_003}', ${(row * 31) % 977}.50);\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, sizeBytes);
}
