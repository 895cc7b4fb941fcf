import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { newWalChecksum, updateWalChecksum } from './wal-checksum.ts';

const MASK = 0xffff_ffffn;

/** The formula of the format's description, in numbers that cannot overflow. */
function plainChecksum(bytes: Uint8Array, bigEndian: boolean): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [s0, s1] = [0n, 0n];
  for (let i = 0; i < bytes.length; i += 8) {
    s0 = (s0 + BigInt(view.getUint32(i, !bigEndian)) + s1) & MASK;
    s1 = (s1 + BigInt(view.getUint32(i + 4, !bigEndian)) + s0) & MASK;
  }
  return [Number(s0), Number(s1)];
}

function checksum(bytes: Uint8Array, bigEndian: boolean, cuts: readonly number[] = []): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sums = newWalChecksum();
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    updateWalChecksum(sums, bigEndian, view, start, end);
    start = end;
  }
  return [...sums];
}

const anyBytes = fc
  .uint8Array({ maxLength: 600, size: 'max' })
  .map((bytes) => bytes.subarray(0, bytes.length & ~7));

describe('updateWalChecksum()', () => {
  test('computes the sums of the format description, in both byte orders', () => {
    fc.assert(
      fc.property(anyBytes, fc.boolean(), (bytes, bigEndian) => {
        assert.deepEqual(checksum(bytes, bigEndian), plainChecksum(bytes, bigEndian));
      }),
    );
  });

  test('wraps at 2**32', () => {
    const bytes = new Uint8Array(65_536).fill(0xff);
    assert.deepEqual(checksum(bytes, false), plainChecksum(bytes, false));
  });

  test('gives the same in one piece or in several', () => {
    fc.assert(
      fc.property(anyBytes, fc.array(fc.nat()), (bytes, places) => {
        const cuts = places.map((n) => (n % (bytes.length + 1)) & ~7).sort((a, b) => a - b);
        assert.deepEqual(checksum(bytes, true, cuts), checksum(bytes, true));
      }),
    );
  });

  test('starts where a view starts, at any alignment', () => {
    const bytes = Uint8Array.from({ length: 71 }, (_, i) => i * 37);
    for (let start = 0; start < 8; start++) {
      const piece = bytes.subarray(start, start + 64);
      assert.deepEqual(checksum(piece, false), plainChecksum(piece.slice(), false));
    }
  });
});
