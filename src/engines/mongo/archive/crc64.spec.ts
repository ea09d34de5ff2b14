import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Crc64 } from './crc64.js';

describe('CRC-64 (ECMA)', () => {
  it.each([
    ['', 0n],
    // The check value of CRC-64/XZ in the catalogue of parametrised CRC algorithms.
    ['123456789', 0x995d_c9bb_df19_39fan],
  ])('of %j is the published one', (text, expected) => {
    const crc = new Crc64();
    crc.update(Buffer.from(text));
    expect(BigInt.asUintN(64, crc.value)).toBe(expected);
  });

  it('does not depend on how the bytes are cut, and is that of the definition, bit by bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, one, two) => {
        const [first = 0, second = 0] = [one, two]
          .map((cut) => Math.min(cut, bytes.length))
          .sort((a, b) => a - b);
        const crc = new Crc64();
        crc.update(bytes, 0, first);
        crc.update(bytes.subarray(first, second));
        crc.update(bytes, second);
        expect(BigInt.asUintN(64, crc.value)).toBe(bitByBit(bytes));
      }),
    );
  });
});

function bitByBit(bytes: Uint8Array): bigint {
  let remainder = 0xffff_ffff_ffff_ffffn;
  for (const byte of bytes) {
    remainder ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1)
      remainder = (remainder & 1n) === 1n ? (remainder >> 1n) ^ 0xc96c_5795_d787_0f42n : remainder >> 1n;
  }
  return remainder ^ 0xffff_ffff_ffff_ffffn;
}
