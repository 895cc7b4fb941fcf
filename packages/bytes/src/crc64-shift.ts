// Joins CRCs: given crc(A), crc(B) and the length of B, the CRC of A followed by B, without either.
//
// crc(A || B) = crc(A) * x^(8 * length of B) + crc(B), because initial value and final exclusive-or
// cancel each other out. For a fixed length the factor is a constant of the field and multiplying
// by it is linear: one table a byte of crc(A) gives eight look-ups instead of a pass over B.
//
// This is what lets a page be read once for two checksums, its own and that of the file it is in.

import { assert } from './assert.ts';

/** A byte has 256 values, a value two 32-bit halves. */
const TABLE_LENGTH = 256 * 2;

export class Crc64Shift {
  /** Length of the second part, in bytes. */
  readonly length: number;
  /** For value v of byte k, counted from the lowest: halves at k * TABLE_LENGTH + 2 * v. */
  readonly #products = new Int32Array(8 * TABLE_LENGTH);

  /** Takes 4 ns a byte of `length`, and 16 KiB: keep one for each length that matters. */
  constructor(length: number) {
    assert(Number.isSafeInteger(length) && length >= 0, 'CRC shift by a length that is no length');
    this.length = length;
    this.#fill();
  }

  /** Upper half of the CRC of the first part, moved over the second. */
  hi(hi: number, lo: number): number {
    return this.#sum(hi, lo, 0);
  }

  /** Lower half of the CRC of the first part, moved over the second. */
  lo(hi: number, lo: number): number {
    return this.#sum(hi, lo, 1);
  }

  #sum(hi: number, lo: number, half: 0 | 1): number {
    const t = this.#products;
    return (
      t[half + ((lo & 0xff) << 1)]! ^
      t[half + 512 + (((lo >>> 8) & 0xff) << 1)]! ^
      t[half + 1024 + (((lo >>> 16) & 0xff) << 1)]! ^
      t[half + 1536 + ((lo >>> 24) << 1)]! ^
      t[half + 2048 + ((hi & 0xff) << 1)]! ^
      t[half + 2560 + (((hi >>> 8) & 0xff) << 1)]! ^
      t[half + 3072 + (((hi >>> 16) & 0xff) << 1)]! ^
      t[half + 3584 + ((hi >>> 24) << 1)]!
    );
  }

  #fill(): void {
    // The highest bit of the register is x^0; moved over zero bytes it becomes the factor itself.
    let hi = 0x80000000 | 0;
    let lo = 0;
    for (let byte = 0; byte < this.length; byte += 1) {
      const v = lo << 24;
      lo = (lo >>> 8) | (hi << 24);
      hi = (hi >>> 8) ^ v ^ (v >>> 1) ^ (v >>> 3) ^ (v >>> 4);
    }
    // Each lower bit is one more power of x: its product is that of the bit above, times x.
    for (let bit = 63; bit >= 0; bit -= 1) {
      this.#addBit(bit >>> 3, 1 << (bit & 7), hi, lo);
      const carry = -(lo & 1) & 0xd8000000;
      lo = (lo >>> 1) | (hi << 31);
      hi = (hi >>> 1) ^ carry;
    }
  }

  /** Adds the product for one bit to every value of its byte that has it. */
  #addBit(byte: number, mask: number, hi: number, lo: number): void {
    for (let value = 0; value < 256; value += 1) {
      if ((value & mask) === 0) continue;
      const at = byte * TABLE_LENGTH + value * 2;
      this.#products[at]! ^= hi;
      this.#products[at + 1]! ^= lo;
    }
  }
}
