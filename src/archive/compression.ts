import type { Transform } from 'node:stream';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from 'node:zlib';

import type { Compression } from './manifest.js';

/** Levels that may be asked for. Beyond zstd 19 a reader needs more memory than `zstd -d` grants by default. */
export const COMPRESSION_LEVELS: Readonly<Record<Compression, LevelRange>> = {
  zstd: { min: 1, max: 19, default: 3 },
  gzip: { min: 1, max: 9, default: 6 },
  none: { min: 0, max: 0, default: 0 },
};

export interface LevelRange {
  min: number;
  max: number;
  default: number;
}

/** What is appended to the name of the plain file: as the tools of each format expect it. */
export const COMPRESSION_SUFFIXES: Readonly<Record<Compression, string>> = {
  zstd: '.zst',
  gzip: '.gz',
  none: '',
};

/** Pieces that (de)compressors give. Node's default of 16 KiB costs a round trip through its thread pool for each. */
const OUTPUT_BYTES = 256 * 1024;

/**
 * A fresh compressor, or nothing for `none`. Throws `RangeError` for a level outside `COMPRESSION_LEVELS`.
 *
 * zstd runs with `nbWorkers` 0: with more, Node 24.21's stream ends early and loses data (measured). Its frames carry a
 * checksum, so that `zstd -d` notices damage without us, as gzip does by nature.
 */
export function createCompressor(compression: Compression, level?: number): Transform | undefined {
  const range = COMPRESSION_LEVELS[compression];
  const chosen = level ?? range.default;
  if (compression === 'none') return undefined;
  if (!Number.isInteger(chosen) || chosen < range.min || chosen > range.max) {
    throw new RangeError(`${compression} has levels ${range.min} to ${range.max}, not ${chosen}`);
  }
  if (compression === 'gzip') return createGzip({ level: chosen, chunkSize: OUTPUT_BYTES });
  return createZstdCompress({
    chunkSize: OUTPUT_BYTES,
    params: {
      [constants.ZSTD_c_compressionLevel]: chosen,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_nbWorkers]: 0,
    },
  });
}

/** Its `bytesWritten` says how many of the bytes that it was given it has used. */
export type Decompressor = Gunzip | ZstdDecompress;

/**
 * A fresh decompressor, or nothing for `none`. It errs on a truncated stream, but what follows the end of the data it may
 * leave unused, without a word: zstd's leaves everything, gzip's zeros (measured). Whoever reads must compare `bytesWritten`.
 */
export function createDecompressor(compression: Compression): Decompressor | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'gzip') return createGunzip({ chunkSize: OUTPUT_BYTES });
  return createZstdDecompress({ chunkSize: OUTPUT_BYTES });
}

/** What a decompressor says of itself and of its machine: no memory, or no longer usable. */
const SAYS_NOTHING_OF_THE_DATA =
  /^Z_(MEM|STREAM|VERSION)_ERROR$|^ZSTD_error_(memory_allocation|workSpace_tooSmall|stage_wrong|init_missing)$/;

/** Whether an error was raised by a decompressor over the data it was given. */
export function isCompressionError(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  if (SAYS_NOTHING_OF_THE_DATA.test(error.code)) return false;
  return error.code.startsWith('Z_') || error.code.startsWith('ZSTD_');
}
