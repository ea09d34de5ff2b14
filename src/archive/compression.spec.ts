import { describe, expect, it } from 'vitest';

import { isCompressionError } from './compression.js';

describe('isCompressionError', () => {
  const error = (code: string): Error => Object.assign(new Error(code), { code });

  it.each(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'ZSTD_error_corruption_detected', 'ZSTD_error_checksum_wrong'])(
    'is what a decompressor says of the data: %s',
    (code) => expect(isCompressionError(error(code))).toBe(true),
  );

  it.each(['Z_MEM_ERROR', 'ZSTD_error_memory_allocation', 'ZSTD_error_workSpace_tooSmall'])(
    'is not what it says of the machine, for that would call a good archive damaged: %s',
    (code) => expect(isCompressionError(error(code))).toBe(false),
  );

  it('is not what others say', () => {
    expect(isCompressionError(error('EIO'))).toBe(false);
    expect(isCompressionError('Z_DATA_ERROR')).toBe(false);
  });
});
