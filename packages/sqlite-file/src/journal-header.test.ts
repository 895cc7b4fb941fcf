import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { SqliteFormatError } from './errors.ts';
import {
  decodeJournalHeader,
  encodeJournalHeader,
  isZeroedJournalHeader,
  journalChecksum,
  RECORDS_TO_END,
  type JournalHeader,
} from './journal-header.ts';

const HEADER: JournalHeader = {
  recordCount: 3,
  nonce: 0xfedc_ba98,
  initialPageCount: 12,
  sectorSize: 512,
  pageSize: 4096,
};

function errorCode(bytes: Uint8Array): string {
  try {
    decodeJournalHeader(bytes);
  } catch (error) {
    if (error instanceof SqliteFormatError) return error.code;
    throw error;
  }
  return 'none';
}

describe('journal header', () => {
  test('is decoded to what was encoded', () => {
    const u32 = fc.nat(0xffff_ffff);
    const anyHeader = fc.record(
      {
        recordCount: fc.oneof(u32, fc.constant(RECORDS_TO_END)),
        nonce: u32,
        initialPageCount: u32,
        sectorSize: fc.integer({ min: 5, max: 16 }).map((power) => 2 ** power),
        pageSize: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 9, max: 16 }).map((power) => 2 ** power),
        ),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(anyHeader, (header) => {
        assert.deepEqual(decodeJournalHeader(encodeJournalHeader(header)), header);
      }),
    );
  });

  test('lies where the format says', () => {
    assert.equal(
      Buffer.from(encodeJournalHeader(HEADER)).toString('hex'),
      'd9d505f920a163d7 00000003 fedcba98 0000000c 00000200 00001000'.replaceAll(' ', ''),
    );
  });

  test('is rejected if its magic is off by a byte', () => {
    for (let offset = 0; offset < 8; offset++) {
      const bytes = encodeJournalHeader(HEADER);
      bytes[offset]! ^= 1;
      assert.equal(errorCode(bytes), 'SQLITE_FILE_BAD_MAGIC');
    }
  });

  test('is rejected for sizes that SQLite does not believe', () => {
    for (const pageSize of [1, 256, 511, 1000, 131_072, 0x8000_0000]) {
      assert.equal(errorCode(encodeJournalHeader({ ...HEADER, pageSize })), 'SQLITE_FILE_BAD_SIZE');
    }
    for (const sectorSize of [0, 1, 16, 513, 131_072, 0x8000_0000]) {
      const bytes = encodeJournalHeader({ ...HEADER, sectorSize });
      assert.equal(errorCode(bytes), 'SQLITE_FILE_BAD_SIZE');
    }
  });

  test('is rejected if it is cut off', () => {
    const bytes = encodeJournalHeader(HEADER);
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(errorCode(bytes.subarray(0, length)), 'SQLITE_FILE_TRUNCATED');
    }
  });
});

describe('isZeroedJournalHeader()', () => {
  test('recognises exactly the write that ends a transaction in mode PERSIST', () => {
    assert.equal(isZeroedJournalHeader(new Uint8Array(28)), true);
    assert.equal(isZeroedJournalHeader(new Uint8Array(27)), false);
    assert.equal(isZeroedJournalHeader(new Uint8Array(29)), false);
    for (let offset = 0; offset < 28; offset++) {
      assert.equal(isZeroedJournalHeader(new Uint8Array(28).fill(1, offset, offset + 1)), false);
    }
  });
});

describe('journalChecksum()', () => {
  test('adds every 200th byte from the end, the first of the page excepted', () => {
    const page = new Uint8Array(512);
    page[312] = 5;
    page[112] = 7;
    assert.equal(journalChecksum(100, page), 112);
    // 1000 bytes would reach byte 0, which does not count; page sizes never do.
    assert.equal(journalChecksum(0, new Uint8Array(1000).fill(1)), 4);
  });

  test('wraps at 2**32', () => {
    assert.equal(journalChecksum(0xffff_ffff, new Uint8Array(512).fill(1)), 1);
  });
});
