// 64-bit fields whose values never pass 2^53: positions, counts and lengths, kept as plain numbers
// because bigints would allocate in every commit.

import { assert, readU32be, writeU32be } from '@skein/bytes';

const TWO_32 = 0x1_0000_0000;

export function writeSafeU64be(bytes: Uint8Array, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'Writes a number that is no safe integer');
  writeU32be(bytes, offset, Math.floor(value / TWO_32));
  writeU32be(bytes, offset + 4, value % TWO_32);
}

/** The number, or -1 when it is larger than any that was ever written. */
export function maybeReadSafeU64be(bytes: Uint8Array, offset: number): number {
  const value = readU32be(bytes, offset) * TWO_32 + readU32be(bytes, offset + 4);
  return Number.isSafeInteger(value) ? value : -1;
}
