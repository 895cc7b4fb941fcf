import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { Crc64, crc64 } from './crc64.ts';
import { Crc64Shift } from './crc64-shift.ts';

const ONES = (1n << 64n) - 1n;

/** The definition, bit by bit. */
function crcByDefinition(bytes: Uint8Array): bigint {
  let register = ONES;
  for (const byte of bytes) {
    register ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) {
      register = (register & 1n) === 1n ? (register >> 1n) ^ 0xd800000000000000n : register >> 1n;
    }
  }
  return register ^ ONES;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

describe('crc64()', () => {
  test('has the check value of CRC-64/GO-ISO', () => {
    assert.equal(crc64(new TextEncoder().encode('123456789')), 0xb90956c775a41001n);
  });

  test('is 0 for no bytes', () => {
    assert.equal(crc64(new Uint8Array(0)), 0n);
  });

  test('equals the definition for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(crc64(bytes), crcByDefinition(bytes));
      }),
    );
  });

  test('reads the range it is given, wherever the array lies in its buffer', () => {
    const cut = fc.nat({ max: 20 });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 60, maxLength: 60 }),
        cut,
        cut,
        cut,
        (all, a, b, c) => {
          const view = all.subarray(a, 60 - b);
          assert.equal(crc64(view, c, view.length), crcByDefinition(all.slice(a + c, 60 - b)));
        },
      ),
    );
  });
});

describe('Crc64', () => {
  test('gives the same value however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
        const crc = new Crc64();
        for (const piece of pieces) crc.update(piece);
        assert.equal(crc.value, crc64(join(...pieces)));
      }),
    );
  });

  test('starts again after reset()', () => {
    const crc = new Crc64();
    crc.update(Uint8Array.of(1, 2, 3));
    crc.reset();
    assert.equal(crc.value, 0n);
    crc.update(Uint8Array.of(4, 5));
    assert.equal(crc.value, crc64(Uint8Array.of(4, 5)));
  });

  test('shows its value as unsigned halves too', () => {
    const crc = new Crc64();
    crc.update(new TextEncoder().encode('123456789'));
    assert.deepEqual([crc.hi, crc.lo], [0xb90956c7, 0x75a41001]);
  });

  test('updateU32be() adds the four bytes of a number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9 }), fc.nat(0xffffffff), (before, value) => {
        const number = Buffer.alloc(4);
        number.writeUInt32BE(value);
        const crc = new Crc64();
        crc.update(before);
        crc.updateU32be(value);
        assert.equal(crc.value, crc64(join(before, number)));
      }),
    );
  });

  test('refuses a range outside of the array', () => {
    const crc = new Crc64();
    const bytes = new Uint8Array(new ArrayBuffer(64), 8, 8);
    for (const [start, end] of [
      [0, 9],
      [-1, 4],
      [5, 4],
    ] as const) {
      assert.throws(() => crc.update(bytes, start, end), { code: 'ASSERTION_FAILED' });
    }
  });
});

describe('Crc64Shift', () => {
  test('joins two values to that of both parts', () => {
    const part = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(part, part, (first, second) => {
        const crc = new Crc64();
        const tail = new Crc64();
        crc.update(first);
        tail.update(second);
        crc.append(tail.hi, tail.lo, new Crc64Shift(second.length));
        assert.equal(crc.value, crc64(join(first, second)));
      }),
    );
  });

  test('serves every part of its length, one after the other', () => {
    for (const length of [0, 1, 3, 4, 512, 4096, 65536]) {
      const shift = new Crc64Shift(length);
      const joined = new Crc64();
      const whole = new Crc64();
      const tail = new Crc64();
      for (let part = 1; part <= 3; part += 1) {
        const bytes = new Uint8Array(length).fill(part * 77);
        tail.reset();
        tail.update(bytes);
        whole.update(bytes);
        joined.append(tail.hi, tail.lo, shift);
      }
      assert.equal(joined.value, whole.value, `parts of ${length} bytes`);
    }
  });
});
