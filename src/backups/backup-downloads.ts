import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';
import parseRange from 'range-parser';

import type { ManifestPart } from '../archive/manifest.js';
import { ArchiveDamagedError, ArchiveMissingError } from '../archive/archive.errors.js';
import { openPart } from '../archive/unpack.js';
import type { ByteRange } from '../storage/storage.js';
import { PartNotFoundError, RangeNotSatisfiableError } from './backups.errors.js';
import type { ArchiveSet } from './stored-manifest.js';

export interface DownloadChoice {
  plain: boolean;
  part: ManifestPart['role'];
}

/** What to send; without `bytes` the status says it all. */
export interface DownloadAnswer {
  status: 200 | 206 | 304;
  headers: Record<string, string>;
  bytes?: Readable;
  /** Whether these bytes, read to their end, are all that there is to check of the backup. */
  readsAll?: boolean;
}

/** Opens the bytes of a backup for a client. */
@Injectable()
export class BackupDownloads {
  /**
   * A whole file is checked on its way and errors before its last byte when it is damaged. A range cannot be checked alone:
   * who puts ranges together compares the SHA-256 in the ETag.
   * @throws PartNotFoundError, RangeNotSatisfiableError, ArchiveMissingError; for a range also ArchiveDamagedError
   */
  async open(
    set: ArchiveSet,
    choice: DownloadChoice,
    headers: IncomingHttpHeaders,
    signal: AbortSignal,
  ): Promise<DownloadAnswer> {
    const part = set.manifest.parts.find(({ role }) => role === choice.part);
    if (part === undefined) throw new PartNotFoundError(set.manifest.backup_id, choice.part);
    const facts = choice.plain ? part.plain : part.stored;
    const etag = `"${facts.sha256}"`;
    const answer = {
      ETag: etag,
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': `attachment; filename="${fileName(part, choice.plain)}"`,
      'Accept-Ranges': choice.plain ? 'none' : 'bytes',
      'Cache-Control': 'private, no-transform',
    };
    if (hasAlready(headers['if-none-match'], etag)) return { status: 304, headers: answer };

    const range = choice.plain ? undefined : wantedRange(headers, etag, facts.size_bytes);
    if (range !== undefined) {
      await checkSize(set, part);
      const bytes = await set.storage.get(set.keyOf(part), range);
      const length = range.end - range.start + 1;
      return {
        status: 206,
        headers: {
          ...answer,
          'Content-Length': String(length),
          'Content-Range': `bytes ${range.start}-${range.end}/${facts.size_bytes}`,
        },
        bytes,
      };
    }
    const asStored: ManifestPart = { ...part, plain: part.stored };
    const bytes = choice.plain
      ? await openPart(set.storage, set.keyOf(part), part, set.manifest.compression, signal)
      : await openPart(set.storage, set.keyOf(part), asStored, 'none', signal);
    return {
      status: 200,
      headers: { ...answer, 'Content-Length': String(facts.size_bytes) },
      bytes,
      readsAll: set.manifest.parts.length === 1,
    };
  }
}

/** `If-None-Match` may name several tags, weak ones, or any (RFC 9110, 13.1.2). */
function hasAlready(condition: string | undefined, etag: string): boolean {
  const tags = (condition ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** A storage cuts a range at the object's end: of a shorter object the client would wait for bytes that never come. */
async function checkSize(set: ArchiveSet, part: ManifestPart): Promise<void> {
  const key = set.keyOf(part);
  const expected = part.stored.size_bytes;
  const found = (await set.storage.stat(key))?.sizeBytes;
  if (found === undefined) throw new ArchiveMissingError(key);
  if (found !== expected) throw new ArchiveDamagedError(key, 'stored-size', { expected, found });
}

/** One range, when the client asks for one and its `If-Range`, if any, still holds. Several ranges: the whole file (RFC 9110 14.2). */
function wantedRange(
  headers: IncomingHttpHeaders,
  etag: string,
  sizeBytes: number,
): Required<ByteRange> | undefined {
  const { range } = headers;
  const condition = headers['if-range'];
  if (range === undefined || (condition !== undefined && condition !== etag)) return undefined;
  const ranges = parseRange(sizeBytes, range);
  if (ranges === -1) throw new RangeNotSatisfiableError(range, sizeBytes);
  if (ranges === -2 || ranges.type !== 'bytes') return undefined;
  const [only, ...more] = ranges;
  return only === undefined || more.length > 0 ? undefined : { start: only.start, end: only.end };
}

function fileName(part: ManifestPart, plain: boolean): string {
  return plain ? part.filename.replace(/\.(zst|gz)$/, '') : part.filename;
}
