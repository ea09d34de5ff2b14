/** Reflected polynomial of CRC-64/XZ, which Go calls ECMA, as two halves. */
const POLYNOMIAL_HIGH = 0xc9_6c_57_95;
const POLYNOMIAL_LOW = 0xd7_87_0f_42;

/** Bytes that one round takes. 16 at once were not faster. */
const SLICE = 8;
const ENTRIES = 256;

const LOW = new Int32Array(ENTRIES * SLICE);
const HIGH = new Int32Array(ENTRIES * SLICE);
fillTables();

/**
 * CRC-64 (ECMA) of bytes that come in pieces.
 *
 * Two halves of 32 bits, as a BigInt would make an object of every step, and hand-made WebAssembly is hardly faster and could be read by
 * nobody. Eight bytes are taken at once: table `n` says what a byte does to the remainder when `n` others follow it.
 */
export class Crc64 {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array, from = 0, to = bytes.length): void {
    // Two words are read where eight bytes would be: 1.4 times as fast (measured).
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let low = this.#low;
    let high = this.#high;
    let at = from;
    // Reading outside of an array would give undefined, which the compiler asks us to handle; no index gets there.
    for (const end = to - SLICE; at <= end; at += SLICE) {
      const one = low ^ words.getInt32(at, true);
      const two = high ^ words.getInt32(at + 4, true);
      const a = 1792 + (one & 255);
      const b = 1536 + ((one >>> 8) & 255);
      const c = 1280 + ((one >>> 16) & 255);
      const d = 1024 + (one >>> 24);
      const e = 768 + (two & 255);
      const f = 512 + ((two >>> 8) & 255);
      const g = 256 + ((two >>> 16) & 255);
      const h = two >>> 24;
      low = LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]! ^ LOW[e]! ^ LOW[f]! ^ LOW[g]! ^ LOW[h]!;
      high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]! ^ HIGH[e]! ^ HIGH[f]! ^ HIGH[g]! ^ HIGH[h]!;
    }
    for (; at < to; at += 1) {
      const entry = (low ^ bytes[at]!) & 255;
      low = ((low >>> 8) | (high << 24)) ^ LOW[entry]!;
      high = (high >>> 8) ^ HIGH[entry]!;
    }
    this.#low = low;
    this.#high = high;
  }

  /** Of all bytes so far, as the signed 64-bit number that BSON can hold. */
  get value(): bigint {
    return BigInt.asIntN(64, (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0));
  }
}

function fillTables(): void {
  for (let byte = 0; byte < ENTRIES; byte += 1) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) {
        low ^= POLYNOMIAL_LOW;
        high ^= POLYNOMIAL_HIGH;
      }
    }
    LOW[byte] = low;
    HIGH[byte] = high;
  }
  for (let at = ENTRIES; at < ENTRIES * SLICE; at += 1) {
    const low = LOW[at - ENTRIES]!;
    const high = HIGH[at - ENTRIES]!;
    LOW[at] = ((low >>> 8) | (high << 24)) ^ LOW[low & 255]!;
    HIGH[at] = (high >>> 8) ^ HIGH[low & 255]!;
  }
}
