import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Crc64, crc64 } from '@skein/bytes';
import { assert as assertProperty, integer, nat, pre, property, uint8Array } from 'fast-check';

import { findBitByCrc, findBitByTrial } from './flipped-bit.ts';

/** The difference of two CRCs, in halves. */
function differenceOf(a: Uint8Array, b: Uint8Array): readonly [hi: number, lo: number] {
  const first = new Crc64();
  const second = new Crc64();
  first.update(a);
  second.update(b);
  return [first.hi ^ second.hi, first.lo ^ second.lo];
}

/** As the polynomial, x^64 + x^4 + x^3 + x + 1, has them: the same as one bit, 64 bits before. */
const POLYNOMIAL_MASKS: readonly number[] = [0x1b, 0x36, 0x6c, 0xd8];

const message = uint8Array({ minLength: 1, maxLength: 600 });

describe('findBitByCrc()', () => {
  test('names the one bit in which two messages differ', () => {
    assertProperty(
      property(message, nat(), nat(7), (bytes, place, bit) => {
        const offset = place % bytes.length;
        const flipped = bytes.slice();
        flipped[offset]! ^= 1 << bit;
        const [hi, lo] = differenceOf(bytes, flipped);
        assert.deepEqual(findBitByCrc(hi, lo, bytes.length), { offset, bit });
        // The highest bit of the checksum is not known.
        assert.deepEqual(findBitByCrc(hi ^ 0x80000000, lo, bytes.length), { offset, bit });
      }),
    );
  });

  test('finds none where more is different', () => {
    assertProperty(
      property(message, nat(), integer({ min: 1, max: 255 }), (bytes, place, mask) => {
        pre((mask & (mask - 1)) !== 0 && !POLYNOMIAL_MASKS.includes(mask));
        const changed = bytes.slice();
        changed[place % bytes.length]! ^= mask;
        const [hi, lo] = differenceOf(bytes, changed);
        assert.equal(findBitByCrc(hi, lo, bytes.length), undefined);
      }),
    );
  });

  test('takes four bits in the pattern of the polynomial for the one before them', () => {
    const bytes = new Uint8Array(20);
    const changed = bytes.slice();
    changed[12] = 0x36;
    const [hi, lo] = differenceOf(bytes, changed);
    assert.deepEqual(findBitByCrc(hi, lo, bytes.length), { offset: 4, bit: 5 });
  });

  test('finds none outside of the last bytes', () => {
    const bytes = new Uint8Array(100);
    const flipped = bytes.slice();
    flipped[3] = 1;
    const [hi, lo] = differenceOf(bytes, flipped);
    assert.deepEqual(findBitByCrc(hi, lo, 97), { offset: 0, bit: 0 });
    assert.equal(findBitByCrc(hi, lo, 96), undefined);
  });
});

describe('findBitByTrial()', () => {
  test('names the bit and leaves the bytes as they were', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const crc = crc64(bytes);
    bytes[2]! ^= 0x40;
    const found = findBitByTrial(bytes, (tried) => crc64(tried) === crc);
    assert.deepEqual(found, { offset: 2, bit: 6 });
    assert.deepEqual(bytes, Uint8Array.of(1, 2, 0x43, 4));
    assert.equal(
      findBitByTrial(bytes, () => false),
      undefined,
    );
  });
});
