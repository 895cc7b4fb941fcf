import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { bytesSource } from '@skein/bytes';

import { SqliteFormatError } from './errors.ts';
import { newWalChecksum, updateWalChecksum } from './wal-checksum.ts';
import { decodeWalHeader, encodeWalHeader, readWalHeader, type WalHeader } from './wal-header.ts';

const HEADER: WalHeader = {
  bigEndianChecksums: false,
  pageSize: 4096,
  checkpointSequence: 3,
  salt1: 0xdead_beef,
  salt2: 0x0102_0304,
};

const u32 = fc.nat(0xffff_ffff);

const anyHeader: fc.Arbitrary<WalHeader> = fc.record(
  {
    bigEndianChecksums: fc.boolean(),
    pageSize: fc.integer({ min: 9, max: 16 }).map((power) => 2 ** power),
    checkpointSequence: u32,
    salt1: u32,
    salt2: u32,
  },
  { noNullPrototype: true },
);

function errorCode(bytes: Uint8Array): string {
  try {
    decodeWalHeader(bytes);
  } catch (error) {
    if (error instanceof SqliteFormatError) return error.code;
    throw error;
  }
  return 'none';
}

/** Repairs the checksum after a change, so that only the change itself can be objected to. */
function withField(offset: number, value: number): Uint8Array {
  const bytes = encodeWalHeader(HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint32(offset, value);
  const sums = newWalChecksum();
  updateWalChecksum(sums, false, view, 0, 24);
  view.setUint32(24, sums[0]!);
  view.setUint32(28, sums[1]!);
  return bytes;
}

describe('WAL header', () => {
  test('is decoded to what was encoded', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        assert.deepEqual(decodeWalHeader(encodeWalHeader(header)), header);
      }),
    );
  });

  test('is the bytes that SQLite 3.40.1 wrote', () => {
    const written =
      '377f0682 002de218 00000200 00000000 5c52f23c 373f3265 11bd556f 2ec96c4b'.replaceAll(' ', '');
    const header = {
      bigEndianChecksums: false,
      pageSize: 512,
      checkpointSequence: 0,
      salt1: 0x5c52_f23c,
      salt2: 0x373f_3265,
    };
    assert.equal(Buffer.from(encodeWalHeader(header)).toString('hex'), written);
  });

  test('is rejected for each thing that can be wrong with it', () => {
    assert.equal(errorCode(withField(0, 0x377f_0680)), 'SQLITE_FILE_BAD_MAGIC');
    assert.equal(errorCode(withField(8, 256)), 'SQLITE_FILE_BAD_SIZE');
    assert.equal(errorCode(withField(8, 1000)), 'SQLITE_FILE_BAD_SIZE');
    assert.equal(errorCode(withField(8, 131_072)), 'SQLITE_FILE_BAD_SIZE');
    assert.equal(errorCode(withField(8, 0x8000_0000)), 'SQLITE_FILE_BAD_SIZE');
    assert.equal(errorCode(withField(4, 3_007_001)), 'SQLITE_FILE_UNSUPPORTED_VERSION');
    assert.equal(errorCode(encodeWalHeader(HEADER).fill(9, 30)), 'SQLITE_FILE_CHECKSUM_MISMATCH');
    assert.equal(errorCode(encodeWalHeader(HEADER).subarray(0, 31)), 'SQLITE_FILE_TRUNCATED');
  });

  test('is not decoded if any one byte is changed', () => {
    const anyChange = fc.tuple(anyHeader, fc.nat(31), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(anyChange, ([header, offset, change]) => {
        const bytes = encodeWalHeader(header);
        bytes[offset]! ^= change;
        assert.notEqual(errorCode(bytes), 'none');
        assert.equal(readWalHeader(bytesSource(bytes)), undefined);
      }),
    );
  });

  test('is not encoded with an impossible page size', () => {
    for (const pageSize of [0, 1, 256, 1000, 131_072]) {
      assert.throws(() => encodeWalHeader({ ...HEADER, pageSize }), { code: 'ASSERTION_FAILED' });
    }
  });
});

describe('readWalHeader()', () => {
  test('reads the header of a sound WAL', () => {
    assert.deepEqual(readWalHeader(bytesSource(encodeWalHeader(HEADER))), HEADER);
  });

  test('takes a damaged or short file for an empty WAL', () => {
    for (let length = 0; length < 32; length++) {
      const source = bytesSource(encodeWalHeader(HEADER).subarray(0, length));
      assert.equal(readWalHeader(source), undefined);
    }
    assert.equal(readWalHeader(bytesSource(withField(0, 0))), undefined);
  });

  test('refuses a sound header of an unknown format', () => {
    assert.throws(
      () => readWalHeader(bytesSource(withField(4, 3_007_001))),
      (error) =>
        error instanceof SqliteFormatError && error.code === 'SQLITE_FILE_UNSUPPORTED_VERSION',
    );
  });
});
