import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { BytesFormatError } from './errors.ts';
import { VARINT_BYTES_MAX, readVarint, writeVarint } from './varint.ts';

function encode(value: number): Uint8Array {
  const bytes = new Uint8Array(VARINT_BYTES_MAX);
  return bytes.slice(0, writeVarint(bytes, 0, value));
}

function decode(bytes: Uint8Array): number {
  return readVarint({ bytes, offset: 0, end: bytes.length });
}

describe('writeVarint()', () => {
  test('gives the bytes of LEB128', () => {
    assert.deepEqual([...encode(0)], [0]);
    assert.deepEqual([...encode(127)], [0x7f]);
    assert.deepEqual([...encode(128)], [0x80, 0x01]);
    assert.deepEqual([...encode(624485)], [0xe5, 0x8e, 0x26]);
    assert.equal(encode(Number.MAX_SAFE_INTEGER).length, VARINT_BYTES_MAX);
  });

  test('refuses what is no number of that kind', () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
      assert.throws(() => encode(value), { code: 'ASSERTION_FAILED' });
    }
  });
});

describe('readVarint()', () => {
  test('reads what writeVarint() wrote, one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (values) => {
        const bytes = new Uint8Array(VARINT_BYTES_MAX * (values.length + 1));
        let end = 0;
        for (const value of values) end = writeVarint(bytes, end, value);
        const cursor = { bytes, offset: 0, end };
        assert.deepEqual(
          values.map(() => readVarint(cursor)),
          values,
        );
        assert.equal(cursor.offset, end);
      }),
    );
  });

  test('rejects a number that does not end before the end', () => {
    for (const bytes of [[], [0x80], [0xff, 0xff, 0xff]]) {
      assert.throws(() => decode(Uint8Array.from(bytes)), { code: 'VARINT_TRUNCATED' });
    }
  });

  test('rejects a number of more than 53 bits', () => {
    const tooLarge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10];
    const tooLong = [...new Uint8Array(12).fill(0x80), 0x00];
    for (const bytes of [tooLarge, tooLong]) {
      assert.throws(() => decode(Uint8Array.from(bytes)), { code: 'VARINT_OVERFLOW' });
    }
  });

  test('gives a number or a format error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        try {
          assert.ok(Number.isSafeInteger(decode(bytes)));
        } catch (error) {
          assert.ok(error instanceof BytesFormatError);
        }
      }),
    );
  });
});
