import { StorageRangeInvalidError } from './storage.errors.js';
import type { ByteRange } from './storage.js';

/** A byte range with its end settled. */
export interface ByteSpan {
  start: number;
  length: number;
}

/**
 * What a range means for an object of `sizeBytes`. An end behind the object's is cut, as in HTTP (RFC 9110, 14.1.2); rejects
 * with `StorageRangeInvalidError` a range that begins behind the end, ends before its beginning, or is no range of bytes.
 */
export function spanOf(key: string, sizeBytes: number, range?: ByteRange): ByteSpan {
  if (range === undefined) return { start: 0, length: sizeBytes };
  const end = range.end ?? sizeBytes - 1;
  const isRange = Number.isSafeInteger(range.start) && Number.isSafeInteger(end) && range.start >= 0;
  if (!isRange || range.start >= sizeBytes || end < range.start) {
    throw new StorageRangeInvalidError(key, { ...range, sizeBytes });
  }
  return { start: range.start, length: Math.min(end, sizeBytes - 1) - range.start + 1 };
}
