// Finds the one bit that differs from what was written, by the CRC that was written with it.
//
// A CRC is linear: flipping a bit changes it by an amount that depends on the place of the bit
// only. So the difference between the CRC of what is there and the CRC that it should have names
// the bit, if there is one. That something else than one flipped bit leaves such a difference has
// the odds of 1 to 2^63 divided by the number of bits. Four bits in the pattern of the polynomial,
// 11011, do: no CRC-64 of this kind tells them from the one bit that stands 64 bits before. A write
// that a power cut took apart never does.

export interface FlippedBit {
  /** Offset of its byte. */
  readonly offset: number;
  /** 0 is the lowest. */
  readonly bit: number;
}

/** The lowest bit of the last word times x: the polynomial, reflected (bytes/crc64.ts). */
const POLYNOMIAL_HI = 0xd8000000 | 0;

/** Checksums of LTX have bit 63 always set, whatever it was: it says nothing. */
const KNOWN_HI = 0x7fffffff;

/**
 * The bit to flip in the last `length` bytes that a CRC-64 covers. `differenceHi` and `Lo` are the
 * halves of the exclusive-or of the CRC that is and the CRC that should be; bit 63 is ignored.
 */
export function findBitByCrc(
  differenceHi: number,
  differenceLo: number,
  length: number,
): FlippedBit | undefined {
  const wantedHi = differenceHi & KNOWN_HI;
  const wantedLo = differenceLo | 0;
  let hi = POLYNOMIAL_HI;
  let lo = 0;
  // From the last bit, the highest of the last byte, to the first.
  for (let n = length * 8 - 1; n >= 0; n--) {
    if (lo === wantedLo && (hi & KNOWN_HI) === wantedHi) return { offset: n >>> 3, bit: n & 7 };
    const carry = -(lo & 1) & POLYNOMIAL_HI;
    lo = (lo >>> 1) | (hi << 31);
    hi = (hi >>> 1) ^ carry;
  }
  return undefined;
}

/** Tries every bit of a small structure; `isRight` sees the bytes with the bit flipped. */
export function findBitByTrial(
  bytes: Uint8Array,
  isRight: (bytes: Uint8Array) => boolean,
): FlippedBit | undefined {
  for (let offset = 0; offset < bytes.length; offset++) {
    for (let bit = 0; bit < 8; bit++) {
      bytes[offset]! ^= 1 << bit;
      const isFound = isRight(bytes);
      bytes[offset]! ^= 1 << bit;
      if (isFound) return { offset, bit };
    }
  }
  return undefined;
}
