import { StorageKeyInvalidError } from './storage.errors.js';

/** Longest key in UTF-8 bytes: what S3 allows, so that archives can move between drivers. */
const MAX_KEY_BYTES = 1024;
/** Longest segment in UTF-8 bytes: NAME_MAX of Linux, macOS and Windows file systems. */
const MAX_SEGMENT_BYTES = 255;

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const FORBIDDEN_CHARACTER = /[\u0000-\u001f\u007f\\/]/;

/** Names that drivers give to parts in the making (`storage-parts.ts`); an object must not look like one. */
const PART_NAME = /^\.backstop-.*\.(partial|claim)$/;

/**
 * The segments of a key, or `StorageKeyInvalidError` (S7). The rules are the same for every driver, although a bucket
 * could hold more: what one destination takes, each destination takes.
 */
export function splitKey(key: string): string[] {
  const segments = key.split('/');
  for (const segment of segments) {
    const fault = faultOfSegment(segment);
    if (fault !== undefined) throw new StorageKeyInvalidError(key, fault);
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new StorageKeyInvalidError(key, `it is longer than ${MAX_KEY_BYTES} bytes`);
  }
  return segments;
}

/** Whether `name` may be one segment of a key, thus also the whole name of an object without folders. */
export function isKeySegment(name: string): boolean {
  return faultOfSegment(name) === undefined;
}

/**
 * The folders that a listing's prefix names completely (`a/b/x` gives `a`, `b`); its last piece is only a beginning of
 * a name. Rejects the same things as `splitKey`.
 */
export function splitPrefix(prefix: string): string[] {
  const pieces = prefix.split('/');
  const beginning = pieces.pop() ?? '';
  const fault = pieces.map(faultOfSegment).find((each) => each !== undefined);
  if (fault !== undefined) throw new StorageKeyInvalidError(prefix, fault);
  if (FORBIDDEN_CHARACTER.test(beginning))
    throw new StorageKeyInvalidError(prefix, 'it has a back-slash or a control character');
  return pieces;
}

/** Key order: by UTF-8 bytes, as buckets list. JavaScript's own order differs beyond the basic plane. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function faultOfSegment(segment: string): string | undefined {
  if (segment === '') return 'it has an empty segment';
  if (segment === '.' || segment === '..') return `it has the segment "${segment}"`;
  if (FORBIDDEN_CHARACTER.test(segment)) return 'it has a back-slash or a control character';
  // A lone surrogate has no UTF-8 form: two different keys would become the same file name.
  if (!segment.isWellFormed()) return 'it is not well-formed Unicode';
  if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)
    return `a segment is longer than ${MAX_SEGMENT_BYTES} bytes`;
  if (PART_NAME.test(segment)) return 'it looks like the temporary name of an unfinished object';
  return undefined;
}
